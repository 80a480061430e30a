/** What the heart tells the recorder: never once a message, and nothing of what is in one. */
import type { SubscribeItem } from '../codec/mod.ts';
import type { ConnectAttempt } from './connect/attempt.ts';
import type { Connection } from './connection.ts';
import type { Ending } from './endings.ts';
import type { RecordedClient, RecordedPlace, Recorder } from './ports.ts';

export const nobodyRecords: Recorder = { note: () => {} };

export function recordedPlace({ peer }: Connection): RecordedPlace {
  return { address: peer.address, port: peer.port, listener: peer.listener.name };
}

function recordedClient(connection: Connection, client: string, username: string | null): RecordedClient {
  const { certificate, pskIdentity, address, port, listener } = connection.peer;
  return {
    client,
    user: username ?? undefined,
    certificate: certificate?.commonName ?? undefined,
    serial: certificate?.serialNumber,
    psk: pskIdentity ?? undefined,
    address,
    port,
    listener: listener.name,
  };
}

/** The end of a bridge that is in this process has events of its own. */
const isInside = ({ peer }: Connection): boolean => peer.listener.bridge !== undefined;

const versions: Readonly<Record<number, string>> = { 3: 'MQTT 3.1', 4: 'MQTT 3.1.1', 5: 'MQTT 5' };

export function recordConnected({ broker, connection, packet, sessionPresent }: ConnectAttempt): void {
  if (isInside(connection)) return;
  const { clientId, identity, session, peer } = connection;
  broker.recorder.note('client.connected', {
    ...recordedClient(connection, clientId, identity.username),
    version: versions[packet.version] ?? `MQTT level ${packet.version}`,
    tls: peer.tls?.version,
    keepAlive: packet.keepAlive,
    session: sessionPresent ? 'resumed' : 'new',
    subscriptions: session?.subscriptions.size || undefined,
    waiting: session?.queue.size || undefined,
    will: packet.will?.topicName,
  });
}

export function recordRefused({ broker, connection, username }: ConnectAttempt, reason: string, because: string): void {
  const client = recordedClient(connection, connection.clientId, username);
  // A certificate that does not hold has been judged before there was a CONNECT.
  const why = connection.peer.refusal?.reason ?? because.replace(/\.$/, '');
  broker.recorder.note('client.refused', { ...client, reason, because: why });
}

/** `wasOpen`: it was a client. */
export function recordEnd(connection: Connection, ending: Ending, wasOpen: boolean): void {
  const { broker, bytesSeen: bytes } = connection;
  if (ending.recorded === true || isInside(connection)) return;
  const explanation = ending.forRecord ?? sentenceIn(ending.explanation) ?? meaningOf(connection, ending.reason);
  const reason = ending.reason ?? 'it said goodbye (DISCONNECT)';
  if (!wasOpen) {
    broker.recorder.note('connection.failed', { ...recordedPlace(connection), reason, bytes, explanation });
    return;
  }
  const client = recordedClient(connection, connection.clientId, connection.identity.username);
  const seconds = Math.max(0, broker.unixSecond - connection.openedAt);
  broker.recorder.note('client.left', { ...client, reason, seconds, explanation });
}

/** Log lines of ours begin with two spaces and end in a full stop; a sentence of the record does neither. */
function sentenceIn(line: string | undefined): string | undefined {
  return line?.trim().replace(/\.$/, '');
}

function meaningOf({ timeoutSeconds }: Connection, reason: string | null): string | undefined {
  if (reason === 'exceeded timeout') {
    const keepAlive = Math.ceil(timeoutSeconds / 1.5);
    return `nothing was heard of it for ${timeoutSeconds} s (its keep alive is ${keepAlive} s): its network or its power was gone, or its program was stuck`;
  }
  if (reason !== 'connection closed by client') return undefined;
  return 'it closed the connection without a DISCONNECT, as a program does that ends or crashes';
}

/** As many filters of one packet as a record shows. */
const FILTERS_MAX = 50;

export function recordSubscribed(
  connection: Connection,
  items: readonly SubscribeItem[],
  codes: readonly number[],
): void {
  if (isInside(connection)) return;
  const taken = items
    .filter((_, i) => codes[i]! < REFUSED)
    .map(({ topicFilter, qos }) => `${topicFilter} (QoS ${qos})`);
  if (taken.length === 0) return;
  connection.broker.recorder.note('client.subscribed', { client: connection.clientId, filters: shortened(taken) });
}

export function recordUnsubscribed(connection: Connection, filters: readonly string[]): void {
  if (isInside(connection)) return;
  connection.broker.recorder.note('client.unsubscribed', { client: connection.clientId, filters: shortened(filters) });
}

function shortened(filters: readonly string[]): string[] {
  const more = filters.length - FILTERS_MAX;
  return more > 0 ? [...filters.slice(0, FILTERS_MAX), `and ${more} more`] : [...filters];
}

/** Codes of a SUBACK from here on are refusals (MQTT 5, 3.9.3); why is in the events of the access rules. */
const REFUSED = 0x80;
