/**
 * Follows the packets of single clients, in the words of the debug log:
 *
 *   link ─ bytes ─> connection.onBytes()        a tap lies over onBytes() and write() of this one connection, cuts the
 *        <───────── link.write()                bytes into packets for itself, and says what passes
 *
 * Whoever is not followed pays nothing, and nobody pays when nobody is followed. What a tap cannot read it says so and
 * lets pass: it changes nothing.
 */
import {
  ackNameOf,
  FrameReader,
  frameStatus,
  packetTypes,
  PublishView,
  readAck,
  readConnack,
  readDisconnect,
  readPublish,
  readSuback,
  readSubscribe,
  readUnsubscribe,
} from '../codec/mod.ts';
import type { Connection } from './connection.ts';
import type { TracedPacket, TraceHearer } from './ports.ts';
import { receivedLine } from './trace.ts';

/** What one client may have for followers; an operator has one or two. */
const HEARERS_MAX = 20;
const NOTHING = Buffer.alloc(0);
const NO_LIMITS = new Array<number>(16).fill(0);

interface Tap {
  connection: Connection;
  remove(): void;
}

export class Traces {
  /** By client identifier, connected or not. */
  readonly #hearers = new Map<string, Set<TraceHearer>>();
  readonly #taps = new Map<string, Tap>();

  /** `present`: its connection, if it has one. Returns what ends it; null when too many follow it already. */
  follow(clientId: string, present: Connection | null, hear: TraceHearer): (() => void) | null {
    const hearers = this.#hearers.get(clientId) ?? new Set();
    if (hearers.size >= HEARERS_MAX) return null;
    this.#hearers.set(clientId, hearers.add(hear));
    if (present !== null) this.#tap(present);
    return () => this.#leave(clientId, hear);
  }

  /** To be called when a client is accepted, before its CONNACK. */
  connected(connection: Connection): void {
    if (this.#hearers.size === 0 || !this.#hearers.has(connection.clientId)) return;
    const { address, port, listener } = connection.peer;
    this.#say(connection.clientId, { text: `Connected from ${address}:${port} on ${listener.name}` });
    this.#tap(connection);
  }

  ended(connection: Connection, reason: string | null): void {
    const tap = this.#hearers.size === 0 ? undefined : this.#taps.get(connection.clientId);
    if (tap?.connection !== connection) return;
    tap.remove();
    this.#taps.delete(connection.clientId);
    this.#say(connection.clientId, { text: reason === null ? 'Disconnected' : `Disconnected: ${reason}` });
  }

  #tap(connection: Connection): void {
    const { clientId } = connection;
    if (this.#taps.get(clientId)?.connection === connection) return;
    this.#taps.get(clientId)?.remove();
    this.#taps.set(clientId, { connection, remove: tapOver(connection, packet => this.#say(clientId, packet)) });
  }

  #leave(clientId: string, hear: TraceHearer): void {
    const hearers = this.#hearers.get(clientId);
    hearers?.delete(hear);
    if (hearers === undefined || hearers.size > 0) return;
    this.#hearers.delete(clientId);
    this.#taps.get(clientId)?.remove();
    this.#taps.delete(clientId);
  }

  #say(clientId: string, packet: TracedPacket): void {
    for (const hear of [...(this.#hearers.get(clientId) ?? [])]) hear(packet);
  }
}

/** Lays methods of their own over those of connection and link; removed again they leave both as they were. */
function tapOver(connection: Connection, say: (packet: TracedPacket) => void): () => void {
  const { link } = connection;
  const [onBytes, write] = [connection.onBytes.bind(connection), link.write.bind(link)];
  const [incoming, outgoing] = [new Words(connection, say, received), new Words(connection, say, sending)];
  // What came with the CONNECT is told behind its answer.
  let unread = connection.reader.unread;
  const tellUnread = (): void => {
    incoming.tell(unread);
    unread = NOTHING;
  };
  connection.onBytes = chunk => {
    tellUnread();
    incoming.tell(chunk);
    onBytes(chunk);
  };
  link.write = (bytes, start, end) => {
    outgoing.tell(bytes.subarray(start, end));
    write(bytes, start, end);
    tellUnread();
  };
  return () => {
    Reflect.deleteProperty(connection, 'onBytes');
    Reflect.deleteProperty(link, 'write');
  };
}

type Telling = (words: Words, type: number, frame: FrameReader) => TracedPacket | null;

/** One direction of a connection, with the topic aliases that are known in it. */
class Words {
  readonly connection: Connection;
  readonly view = new PublishView();
  readonly #frames = new FrameReader(NO_LIMITS);
  readonly #say: (packet: TracedPacket) => void;
  readonly #telling: Telling;
  readonly #topics = new Map<number, string>();

  constructor(connection: Connection, say: (packet: TracedPacket) => void, telling: Telling) {
    this.connection = connection;
    this.#say = say;
    this.#telling = telling;
  }

  tell(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#frames.push(bytes);
    while (this.#frames.next() === frameStatus.packet) this.#tellPacket(this.#frames);
  }

  #tellPacket(frame: FrameReader): void {
    const type = frame.first >> 4;
    try {
      const packet = this.#telling(this, type, frame);
      if (packet !== null) this.#say(packet);
    } catch {
      this.#say({ text: `A packet of type ${type} that cannot be read (${frame.end - frame.start} bytes)` });
    }
  }

  publish({ bytes, first, start, end }: FrameReader): { text: string; payload: Buffer } {
    const { view } = this;
    readPublish(view, bytes, first, start, end, this.connection.version);
    const { topicAlias } = view;
    const written = bytes.toString('utf8', view.topicStart, view.topicEnd);
    if (topicAlias > 0 && written !== '') this.#topics.set(topicAlias, written);
    const topic = written === '' ? (this.#topics.get(topicAlias) ?? `topic alias ${topicAlias}`) : written;
    return { text: receivedLine(view, topic), payload: bytes.subarray(view.payloadStart, view.payloadEnd) };
  }
}

function received(words: Words, type: number, frame: FrameReader): TracedPacket | null {
  const { bytes, first, start, end } = frame;
  const { clientId, version } = words.connection;
  const name = names[type] ?? `packet of type ${type}`;
  const from = (text: string): TracedPacket => ({ text: `Received ${name} from ${clientId}${text}` });
  switch (type) {
    case packetTypes.publish: {
      const { text, payload } = words.publish(frame);
      return { ...from(` ${text}`), payload };
    }
    case packetTypes.subscribe: {
      const { items } = readSubscribe(bytes, first, start, end, version);
      return from(`: ${items.map(({ topicFilter, qos }) => `${topicFilter} (QoS ${qos})`).join(', ')}`);
    }
    case packetTypes.unsubscribe:
      return from(`: ${readUnsubscribe(bytes, first, start, end, version).topicFilters.join(', ')}`);
    case packetTypes.disconnect:
      return from(` (rc${readDisconnect(bytes, first, start, end, version).reasonCode})`);
    default:
      return from(ackText(type, frame, version, 'Mid: '));
  }
}

function sending(words: Words, type: number, frame: FrameReader): TracedPacket | null {
  const { bytes, first, start, end } = frame;
  const { clientId, version } = words.connection;
  const name = names[type] ?? `packet of type ${type}`;
  const to = (text: string): TracedPacket => ({ text: `Sending ${name} to ${clientId}${text}` });
  switch (type) {
    case packetTypes.publish: {
      const { text, payload } = words.publish(frame);
      return { ...to(` ${text}`), payload };
    }
    case packetTypes.connack: {
      const { sessionPresent, reasonCode } = readConnack(bytes, first, start, end, version);
      return to(` (${sessionPresent ? 1 : 0}, ${reasonCode})`);
    }
    case packetTypes.suback:
    case packetTypes.unsuback: {
      const kind = type === packetTypes.suback ? 'suback' : 'unsuback';
      return to(` (${readSuback(kind, bytes, first, start, end, version).reasonCodes.map(code => `rc${code}`).join(', ')})`);
    }
    case packetTypes.disconnect:
      return to(` (rc${readDisconnect(bytes, first, start, end, version).reasonCode})`);
    default:
      return to(ackText(type, frame, version, 'm'));
  }
} // prettier-ignore

function ackText(type: number, frame: FrameReader, version: 3 | 4 | 5, label: string): string {
  const name = ackNameOf(type);
  if (name === undefined) return '';
  const { packetId, reasonCode } = readAck(name, frame.bytes, frame.first, frame.start, frame.end, version);
  return ` (${label}${packetId}, rc${reasonCode})`;
}

const names: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(packetTypes).map(([name, type]) => [type, name.toUpperCase()]),
);
