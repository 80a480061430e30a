/**
 * What the operators' socket says and understands: the paths with their answers, for those who serve them and those who
 * ask. Types and a few words; nothing here runs.
 *
 *   GET    /v1/status                      StatusReport
 *   GET    /v1/clients?match=&user=        a line of ClientFacts for each, then ListEnd
 *   GET    /v1/clients/ID                  ClientFacts           DELETE  disconnects it
 *   GET    /v1/sessions?match=&user=&away= a line of SessionFacts for each, then ListEnd
 *   GET    /v1/sessions/ID                 SessionDetail         DELETE  forgets it
 *   GET    /v1/topics?match=               a line of FilterFacts for each, then ListEnd
 *   GET    /v1/topics/NAME                 TopicReport
 *   GET    /v1/retained?match=&payload=    a line of RetainedFacts (RetainedCopy with payload=1) for each, then ListEnd
 *   GET    /v1/retained/TOPIC              RetainedCopy
 *   POST   /v1/retained/purge              lines of PurgeOrder    -> PurgeReport
 *   POST   /v1/retained/restore            lines of RetainedCopy  -> RestoreReport
 *   GET    /v1/drops                       DropsReport
 *   GET    /v1/bridges                     BridgesReport
 *   GET    /v1/explain?do=&topic=&who=&as=  ExplainReport
 *   GET    /v1/refusals/ID                 RefusalsReport
 *   POST   /v1/explain/diff?name=&instead-of=    lines of a planned access file, as JSON strings -> lines of AccessChange, then ListEnd
 *   GET    /v1/quarantine                  QuarantineReport
 *   DELETE /v1/quarantine/NAME             lets the device out
 *   GET    /v1/bans                        a line of BanFacts for each, then ListEnd
 *   POST   /v1/bans                        a line of BanOrder     -> BanReport
 *   DELETE /v1/bans/ADDRESS                lifts it
 *   GET    /v1/record                      a line of RecordLine for each event that is in no file, then ListEnd
 *   POST   /v1/backends/flush              a line of FlushOrder   -> FlushReport
 *   GET    /v1/trace/ID?seconds=&payload=  a line of TraceLine for each packet, as it passes, then ListEnd
 *   POST   /v1/trace/ID?seconds=&payload=  the same goes into the flight recorder, for so long
 *   POST   /v1/backends/flush              a line of FlushOrder   -> FlushReport
 *   POST   /v1/reload                      ReloadReport
 *   GET    /metrics /healthz /readyz       text
 *
 * Lists come as one JSON object a line, while the broker goes on with its work; a list without its ListEnd was cut off.
 * A request that cannot be served is answered with a Problem.
 */
import type { BridgeFacts, ReceiverFacts, RefusalFacts, RuleTried } from '../broker/ports.ts';

export type {
  BridgeFacts,
  ClientFacts,
  FilterFacts,
  ReceiverFacts,
  RefusalFacts,
  RuleTried,
  SessionDetail,
  SessionFacts,
} from '../broker/ports.ts';

export interface Problem {
  error: string;
}

/** The last line of a list. */
export interface ListEnd {
  end: true;
  /** True when the limit cut the list off. */
  more: boolean;
}

export interface RetainedFacts {
  topicName: string;
  bytes: number;
  qos: 0 | 1 | 2;
  /** Client identifier; null when the broker itself published it, or it is no longer known. */
  publisher: string | null;
  /** Unix second; 0 for never. */
  expiresAt: number;
  /** The beginning of the payload when it is text, else null. */
  preview: string | null;
}

/** Everything that is needed to put it back. */
export interface RetainedCopy {
  topicName: string;
  qos: 0 | 1 | 2;
  expiresAt: number;
  payloadBase64: string;
  /** MQTT 5 properties as they are on the wire. */
  propertiesBase64: string;
  /** Of topic, payload and properties: what is purged is what was seen. */
  digest: string;
}

export interface PurgeOrder {
  topicName: string;
  digest: string;
}

export interface PurgeReport {
  purged: number;
  /** Topics whose message has changed or gone since it was looked at; they stay as they are. */
  changed: string[];
}

export interface RestoreReport {
  restored: number;
  /** Topics that have a message again, or whose message has expired since. */
  kept: string[];
}

export interface TopicReport {
  topicName: string;
  receivers: ReceiverFacts[];
  retained: RetainedFacts | null;
}

export interface DropsReport {
  /** Messages, by cause, since the start. */
  totals: { cause: string; messages: number }[];
  /** The heaviest first; an empty clientId stands for all those whose names were forgotten. `lastAt` in Unix milliseconds. */
  clients: { clientId: string; cause: string; messages: number; bytes: number; lastAt: number }[];
}

/** One question to the access rules; `listener` names all those that gave the same answer. */
export interface ExplainedAnswer {
  listener: string;
  allowed: boolean;
  /** One sentence without its full stop. */
  because: string;
  /** In the order in which they were tried. */
  tried: RuleTried[];
}

export interface ExplainReport {
  /** `user 'ana'`, `client lamp-1 (user 'lamp')`. */
  who: string;
  action: string;
  topic: string;
  /** On every listener. */
  allowed: boolean;
  answers: ExplainedAnswer[];
  /** What else keeps messages away. */
  notes: string[];
}

export interface RefusalsReport {
  clientId: string;
  /** The last one first. */
  refusals: RefusalFacts[];
}

/** An access file that is not in force. */
export interface PlannedFile {
  /** As answers are to call it. */
  name: string;
  lines: readonly string[];
  /** The acl_file that it would replace; null where there is one at most. */
  insteadOf: string | null;
}

/** What somebody may no longer do, or may do from now on, if a planned access file takes the place of the present one. */
export interface AccessChange {
  who: string;
  change: 'gains' | 'loses';
  action: 'publish' | 'receive';
  topic: string;
  /** Why, by the planned rules. */
  because: string;
}

export interface QuarantineReport {
  /** As device_policy says. */
  policy: 'refuse' | 'quarantine';
  devices: {
    device: string;
    clientId: string;
    address: string;
    /** `it tried to publish x`. */
    attempt: string;
    because: string;
    /** Unix milliseconds. */
    since: number;
  }[];
}

export interface BanFacts {
  /** An IPv4 address, or an IPv6 /64. */
  source: string;
  by: 'failed logins' | 'operator';
  /** Unix milliseconds, both. */
  since: number;
  until: number;
  because: string;
  /** Connections closed because of it. */
  turnedAway: number;
}

export interface BanOrder {
  address: string;
  seconds: number;
  because: string;
}

export interface BanReport {
  source: string;
  /** Clients that were connected from there, and are not any more. */
  disconnected: number;
}

export interface BridgesReport {
  bridges: BridgeFacts[];
}

/** One packet of a client that is followed, or what became of its connection. */
export interface TraceLine {
  /** Unix milliseconds. */
  at: number;
  text: string;
  /** The beginning of the payload: its text, or its bytes when it is none. Only when asked for. */
  payload?: string;
  payloadHex?: string;
  /** Lines before this one that were not told, because they came faster than they were read. */
  missed?: number;
}

export interface RecordLine {
  /** As the flight recorder would write it. */
  line: string;
}

export interface FlushOrder {
  /** Of an auth_backend; null for all. */
  name: string | null;
}

export interface FlushReport {
  /** Those that are asked anew. */
  backends: string[];
}

export interface ReloadReport {
  ok: boolean;
  /** What is in force now and was not before, one sentence each. */
  changed: string[];
  /** What has changed in the files and takes effect at the next start. */
  waits: string[];
  /** Clients that may no longer be here and were disconnected. */
  disconnected: number;
  /** Errors and warnings, as in the log. */
  said: string[];
}

export interface StatusReport {
  version: string;
  pid: number;
  /** Unix milliseconds. */
  startedAt: number;
  /** The configuration file; null in local-only mode. */
  configuration: string | null;
  /** Null when the broker runs on a configuration of its own. */
  home: string | null;
  listeners: ListenerStatus[];
  certificates: CertificateStatus[];
  clients: { connected: number; sessions: number; subscriptions: number; retained: number; stored: number };
  /** A minute, averaged over the last one. */
  rates: { messagesIn: number; messagesOut: number; bytesIn: number; bytesOut: number; connects: number };
  store: StoreStatus | null;
  process: {
    residentBytes: number;
    heapBytes: number;
    /** Share of the last minute that the routing thread was at work. */
    busy: number;
    /** Milliseconds that 99 of 100 turns of the event loop were late at most, since the start. */
    lateMs: number;
    threads: number;
  };
  /** What an operator should look at, most pressing first; empty when all is well. */
  unusual: string[];
}

export interface ListenerStatus {
  name: string;
  protocol: 'mqtt' | 'websockets' | 'http_api';
  /** Where it is bound: `0.0.0.0:8883`, or a path. */
  addresses: string[];
  encrypted: boolean;
  /** Who can reach it. */
  reach: 'this machine' | 'the network';
  /** What they have to show: `a certificate or a password`. */
  login: string;
  connections: number;
}

export interface CertificateStatus {
  /** `certificate`, `ca`, `revocation-list`, `device`. */
  kind: string;
  /** The listener, or `home`. */
  of: string;
  subject: string;
  file: string;
  /** Unix milliseconds. */
  ends: number;
}

export interface StoreStatus {
  file: string;
  bytes: number;
  /** Changes that wait for the disk. */
  waitingChanges: number;
  commits: number;
  /** Of the commits so far, on average; null before the first. */
  commitMs: number | null;
  inTrouble: boolean;
}
