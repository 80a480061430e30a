/** What is worth remembering of what happens, event by event. Served by observability/recorder/. */
import type { DropCause } from './telling.ts';
import type { RefusedAction } from './view.ts';

/** Takes it at once and at no cost worth counting; what becomes of it is not the caller's concern. */
export interface Recorder {
  note<E extends HappeningName>(event: E, facts: Happenings[E]): void;
}

export type HappeningName = keyof Happenings;

/** Where a peer is, and on which listener. */
export interface RecordedPlace {
  address: string;
  port: number;
  listener: string;
}

/** Who it is, as far as it is known. */
export interface RecordedClient extends RecordedPlace {
  client: string;
  user?: string | undefined;
  /** Common name and serial number of its certificate. */
  certificate?: string | undefined;
  serial?: string | undefined;
  /** Identity of its pre-shared key. */
  psk?: string | undefined;
}

/** Every event with its facts. Payloads, passwords and keys are never among them. */
export interface Happenings {
  'client.connected': RecordedClient & {
    version: string;
    /** Absent without TLS. */
    tls?: string | undefined;
    keepAlive: number;
    session: 'new' | 'resumed';
    /** Subscriptions that the session brought along. */
    subscriptions?: number | undefined;
    /** Messages that have waited for it. */
    waiting?: number | undefined;
    will?: string | undefined;
  };
  'client.left': RecordedClient & {
    /** As the log puts it; `it said goodbye` for a DISCONNECT of its own. */
    reason: string;
    /** Since it was connected. */
    seconds: number;
    explanation?: string | undefined;
  };
  'client.refused': RecordedClient & { reason: string; because: string };
  'client.twins': { client: string; one: string; other: string };
  'client.subscribed': { client: string; filters: string[] };
  'client.unsubscribed': { client: string; filters: string[] };
  'session.expired': { client: string; messages?: number | undefined };
  'will.published': { client: string; topic: string };
  'message.refused': {
    client: string;
    action: RefusedAction;
    topic: string;
    because: string;
    count: number;
  };
  /** `because` says in words what the cause is. */
  'message.dropped': { client: string; cause: DropCause; because: string; messages: number; bytes: number };
  /** It never said CONNECT. */
  'connection.failed': RecordedPlace & { reason: string; bytes: number; explanation?: string | undefined };
  'handshake.failed': RecordedPlace & {
    reason: string;
    means: string;
    remedy: string;
    certificate?: string | undefined;
    serial?: string | undefined;
  };
  /** Of a client that an operator has asked for; the only event that may hold a payload. */
  packet: { client: string; text: string; payload?: string | undefined };
  'connection.denied': { address: string; listener: string; limit: string };
  'address.banned': { address: string; seconds: number; because: string };
  'bridge.connected': { bridge: string; address: string };
  'bridge.disconnected': { bridge: string; address: string; error?: string | undefined };
  'bridge.failed': { bridge: string; address: string; error: string };
  'store.restored': { text: string };
  'store.trouble': { text: string };
  'store.healed': { text: string };
  'broker.started': { version: string; node: string; pid: number; boot: string; configuration: string };
  'broker.stopped': { pid: number; because: string };
  'broker.notStarted': { pid: number; error: string };
  'broker.died': { pid: number; last: number; machine: 'restarted' | 'running' };
  'broker.crashed': { pid: number; error: string };
  'broker.fault': { error: string };
  'broker.error': { text: string; code?: string | undefined };
  'broker.reloaded': { outcome: string; changed: string[]; disconnected: number; said: string[] };
  'broker.stalled': { seconds: number };
  'broker.pulse': {
    pid: number;
    boot: string;
    clients: number;
    messagesIn: number;
    messagesOut: number;
    residentBytes: number;
  };
  'clock.jumped': { seconds: number };
  'record.gap': { events: number; because: string };
  /** `kind`: events of this name, where they are nobody's. */
  'record.folded': {
    client?: string | undefined;
    address?: string | undefined;
    kind?: string | undefined;
    events: number;
  };
}
