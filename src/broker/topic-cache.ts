/**
 * TopicCache turns the bytes of a topic name into one TopicEntry that carries everything we know about the topic: its
 * text, checked once, and the route of its messages. Topic names are the attacker's, so the cache has a bounded number of
 * places, in rows of four; a new topic takes the place of the oldest of its row, once it has come a second time: with more
 * topics than places, remembering each for a moment cost more than finding it anew (19 % of the time, in the collector).
 * Some get a place at once, because topics in turn may hide each other's first coming for ever.
 *
 * When topics that come again and again put each other out, there are too few places, and they double, up to a bound:
 * 33,333 topics in turn among 100,000 filters cost 1.7 times as much where only 16,384 had a place.
 */
import { ownBytes } from '../base/mod.ts';
import { isMqttUtf8, utf8Text } from '../codec/mod.ts';
import { isValidTopicName } from '../topics/mod.ts';
import type { Identity } from './ports.ts';
import type { Target } from './types.ts';

/** Topics that are known at first and at most; powers of two. */
const PLACES_FIRST = 16_384;
const PLACES_MAX = 131_072;
/** Places of a row: in two, one topic in twelve of 33,333 among 131,072 places lost its own again and again. */
const ROW = 4;
/** Hashes of topics that came once, for each place. */
const SEEN_FOR_A_PLACE = 8;
/** One in so many that came once gets a place. */
const LUCKY = 16;
/** The cache grows fourfold when one topic for so many places was put out for another that came again. */
const CROWD = 16;
/** Letters of all names together; beyond it the cache starts anew. */
const NAMES_LENGTH_MAX = 16_777_216;
/** Longer names are looked at anew each time: names of 64 kB in all places would take 2 GB. */
const KEPT_NAME_BYTES_MAX = 1024;
/** What the 16-bit length in front of a name can say; a mount point in front of it counts too. */
const NAME_BYTES_MAX = 65_535;
/** Subscribers remembered in all routes together; beyond it the cache starts anew. */
const TARGETS_MAX = 1_000_000;

export class TopicEntry {
  readonly name: string;
  /** Starts with `$`: has rules of its own. */
  readonly reserved: boolean;
  /** Who gets it, as of generation `routed` of the subscription tree. */
  targets: readonly Target[] = [];
  routed = -1;
  /** True while it has a place in the cache, so that its targets count there. */
  kept = false;
  /** Of the name, once it has a place. */
  hash = 0;
  /** For each target: 0 not asked, 1 may read, 2 may not; as of generation `asked` of the access rules. */
  readable: Uint8Array | null = null;
  asked = -1;

  /** Who published here last. */
  writer: Identity | null = null;

  private encoded: Buffer | null = null;

  constructor(name: string) {
    this.name = name;
    this.reserved = name.charCodeAt(0) === 0x24;
  }

  /** UTF-8. Made when first asked for: most messages go on as they came. */
  get bytes(): Buffer {
    return (this.encoded ??= ownBytes(this.name));
  }

  is(bytes: Buffer, start: number, end: number): boolean {
    const { name } = this;
    const length = end - start;
    // As many bytes as UTF-16 units: there are ASCII letters only, or it is another name.
    if (name.length === length) {
      for (let i = length - 1; i >= 0; i--) if (name.charCodeAt(i) !== bytes[start + i]) return false;
      return true;
    }
    const own = this.bytes;
    return own.length === length && own.compare(bytes, start, end) === 0;
  }
}

export class TopicCache {
  private places: (TopicEntry | null)[] = noEntries(PLACES_FIRST);
  /** Of the names in these places, side by side: one look at memory for a row. */
  private hashes = new Int32Array(PLACES_FIRST);
  /** By their hashes, topics that came by and were not known. */
  private seen = new Int32Array(PLACES_FIRST * SEEN_FOR_A_PLACE);
  private targets = 0;
  private namesLength = 0;
  /** Topics put out by others that came again, since the cache grew last. */
  private crowded = 0;
  private strangers = 0;

  /** Null when the bytes are no valid topic name. */
  find(bytes: Buffer, start: number, end: number): TopicEntry | null {
    const hash = fnv1a(bytes, start, end);
    const { places, hashes } = this;
    const first = (ROW * hash) & (places.length - ROW);
    for (let at = first; at < first + ROW; at++) {
      if (hashes[at] !== hash) continue;
      const known = places[at] ?? null;
      if (known !== null && known.is(bytes, start, end)) return known;
    }
    const entry = entryOf(bytes, start, end);
    if (entry === null || end - start > KEPT_NAME_BYTES_MAX) return entry;
    const cameBefore = this.cameBefore(hash);
    if (!cameBefore && ++this.strangers % LUCKY !== 0) return entry;
    entry.hash = hash;
    this.keep(entry, cameBefore);
    return entry;
  }

  /** Null when the text is no valid topic name. */
  findText(topicName: string): TopicEntry | null {
    const bytes = Buffer.from(topicName);
    return this.find(bytes, 0, bytes.length);
  }

  /** Remembers a route in an entry, within the bound on all of them. */
  keepRoute(entry: TopicEntry, targets: readonly Target[], generation: number): void {
    if (entry.kept) this.targets += targets.length - entry.targets.length;
    entry.targets = targets;
    entry.routed = generation;
    entry.readable = null;
    if (this.targets > TARGETS_MAX) this.startAnew();
  }

  *entries(): Iterable<TopicEntry> {
    for (const entry of this.places) if (entry !== null) yield entry;
  }

  private cameBefore(hash: number): boolean {
    const at = hash & (this.seen.length - 1);
    if (this.seen[at] === hash) return true;
    this.seen[at] = hash;
    return false;
  }

  private keep(entry: TopicEntry, cameBefore: boolean): void {
    if (this.namesLength + entry.name.length > NAMES_LENGTH_MAX) this.startAnew();
    if (!this.place(entry) || !cameBefore) return;
    if (++this.crowded > this.places.length / CROWD && this.places.length < PLACES_MAX) this.grow();
  }

  /** True when another had to go. */
  private place(entry: TopicEntry): boolean {
    const { places, hashes } = this;
    const first = (ROW * entry.hash) & (places.length - ROW);
    const oldest = places[first] ?? null;
    places.copyWithin(first, first + 1, first + ROW);
    hashes.copyWithin(first, first + 1, first + ROW);
    places[first + ROW - 1] = entry;
    hashes[first + ROW - 1] = entry.hash;
    entry.kept = true;
    this.targets += entry.targets.length;
    this.namesLength += entry.name.length;
    if (oldest !== null) this.evict(oldest);
    return oldest !== null;
  }

  private evict(entry: TopicEntry): void {
    entry.kept = false;
    this.targets -= entry.targets.length;
    this.namesLength -= entry.name.length;
  }

  private grow(): void {
    const { places: known, seen } = this;
    this.places = noEntries(Math.min(PLACES_MAX, 4 * known.length));
    this.hashes = new Int32Array(this.places.length);
    this.seen = new Int32Array(this.places.length * SEEN_FOR_A_PLACE);
    for (const hash of seen) this.seen[hash & (this.seen.length - 1)] = hash;
    this.targets = this.namesLength = 0;
    // The older of a row are in front, and stay in front.
    for (const entry of known) if (entry !== null) this.place(entry);
    this.crowded = 0;
  }

  private startAnew(): void {
    for (const entry of this.places) if (entry !== null) entry.kept = false;
    this.places.fill(null);
    this.targets = this.namesLength = 0;
  }
}

const noEntries = (places: number): (TopicEntry | null)[] => new Array<TopicEntry | null>(places).fill(null);

function entryOf(bytes: Buffer, start: number, end: number): TopicEntry | null {
  if (end - start > NAME_BYTES_MAX || !isMqttUtf8(bytes, start, end)) return null;
  const name = utf8Text(bytes, start, end);
  if (!isValidTopicName(name)) return null;
  return new TopicEntry(name);
}

/** 32-bit FNV-1a. */
function fnv1a(bytes: Buffer, start: number, end: number): number {
  let hash = 0x811c9dc5 | 0;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  return hash ^ (hash >>> 15);
}
