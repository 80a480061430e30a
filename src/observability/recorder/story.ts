/**
 * From everybody's events to the story of one: whom a word means, and which events are theirs.
 *
 *   'lamp-1'  a client identifier, a user name, a certificate's name or serial number, an address, a bridge
 *      └──>  events that name it ── and those of the clients that were connected by that name ── and of the broker itself
 *
 * A subscription names only its client; whose it is was said when that client connected. So the record is read from its
 * beginning, whatever part of it is asked for.
 */
import { eventRows } from './events.ts';
import type { EventRecord } from './record.ts';

export interface Chapter {
  /** Those within the time asked for, the oldest first. */
  events: readonly EventRecord[];
  /** Client identifiers that the word meant, in the whole record. */
  clients: readonly string[];
  /** Who else is in the record, for those who have mistyped a name. Bounded. */
  others: readonly string[];
  /** Events before the time asked for that are about the same. */
  before: number;
  /** Unix milliseconds of the oldest event of all; null when there is none. */
  oldest: number | null;
  /** As of the end of the time asked for; null for a word that meant several clients, or none. */
  state: { connected: boolean; since: number } | null;
}

const NAMES_MAX = 20_000;
const namingFields = ['client', 'user', 'certificate', 'serial', 'psk', 'address', 'bridge'] as const;
const endsOfABroker = new Set(['broker.started', 'broker.stopped', 'broker.died', 'broker.crashed']);

export interface Asked {
  /** Null for what concerns everybody, and whatever did not go as it should. */
  who: string | null;
  /** Unix milliseconds. */
  since: number;
  until: number;
}

export function storyOf(records: Iterable<EventRecord>, asked: Asked): Chapter {
  const teller = new Teller(asked.who ?? '');
  const events: EventRecord[] = [];
  let [before, oldest]: [number, number | null] = [0, null];
  let state: Chapter['state'] = null;
  for (const record of records) {
    oldest ??= record.at;
    if (record.at > asked.until) continue;
    const theirs = asked.who === null ? isTrouble(record) : teller.isTheirs(record);
    state = theirs || endsOfABroker.has(record.event) ? (stateAfter(record, state) ?? state) : state;
    if (!theirs && !concernsAll(record)) continue;
    if (record.at >= asked.since) events.push(record);
    else if (theirs) before++;
  }
  const clients = [...teller.clients];
  return { events, clients, others: [...teller.others], before, oldest, state: clients.length === 1 ? state : null };
}

function concernsAll({ event }: EventRecord): boolean {
  return (eventRows as Readonly<Record<string, { concernsAll: boolean } | undefined>>)[event]?.concernsAll ?? false;
}

function isTrouble({ event }: EventRecord): boolean {
  const row = (eventRows as Readonly<Record<string, { severity: string } | undefined>>)[event];
  return row !== undefined && row.severity !== 'note';
}

function stateAfter({ event, at }: EventRecord, before: Chapter['state']): Chapter['state'] {
  if (event === 'client.connected') return { connected: true, since: at };
  if (event === 'client.left') return { connected: false, since: at };
  return before?.connected === true && endsOfABroker.has(event) ? { connected: false, since: at } : null;
}

/** Goes along with the record and knows at each event who goes by which name just then. */
class Teller {
  readonly clients = new Set<string>();
  readonly others = new Set<string>();
  readonly #word: string;
  /** Clients whose present connection is by the name asked for. */
  readonly #present = new Set<string>();
  /** Addresses that one of them has come from last. */
  readonly #addresses = new Set<string>();

  constructor(who: string) {
    this.#word = comparable(who);
  }

  isTheirs({ event, facts }: EventRecord): boolean {
    const named = namingFields.some(field => comparable(String(facts[field] ?? '')) === this.#word);
    const [client, address] = [String(facts['client'] ?? ''), String(facts['address'] ?? '')];
    if (event === 'client.connected') this.#meet(client, address, named);
    if (named && client !== '') this.clients.add(client);
    if (!named) this.#noteOthers(facts);
    if (named) return true;
    if (client !== '') return this.#present.has(client) && event !== 'client.refused';
    return address !== '' && this.#addresses.has(address);
  }

  #meet(client: string, address: string, named: boolean): void {
    if (named) this.#present.add(client);
    else this.#present.delete(client);
    if (named && isOneMachine(address)) this.#addresses.add(address);
    else this.#addresses.delete(address);
  }

  #noteOthers(facts: EventRecord['facts']): void {
    for (const field of ['client', 'user', 'certificate', 'bridge']) {
      const name = facts[field];
      if (typeof name === 'string' && this.others.size < NAMES_MAX) this.others.add(name);
    }
  }
}

/** Everybody on this machine comes from loopback, and who failed there is not known. */
function isOneMachine(address: string): boolean {
  return address !== '' && !address.startsWith('127.') && address !== '::1' && !address.startsWith('/');
}

/** Serial numbers are written with colons, in small letters or with zeros in front, depending on who writes them. */
function comparable(word: string): string {
  return /^[0-9a-f]{2}(:?[0-9a-f]{2}){7,}$/i.test(word) ? word.replaceAll(':', '').toUpperCase().replace(/^0+/, '') : word;
} // prettier-ignore
