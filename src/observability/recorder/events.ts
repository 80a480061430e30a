/**
 * Every event that the flight recorder keeps: how bad it is, and how it is told. The files, the story of
 * `zancudo what happened to`, docs/reference/events.md and the tests walk these rows.
 *
 * A sentence is told from the point of view of whom it is about: `{field}` is replaced by the fact of that name, and a
 * part in [brackets] is left out when one of its facts is missing, empty or 0. `{seconds|span}` is told as `3 h 5 min`,
 * `{bytes|bytes}` as `1.2 MB`, `{last|time}` as a time of day with its date.
 */
import type { HappeningName } from '../../broker/ports.ts';

export interface EventRow {
  /** `note`: the usual course of things. `warning`: somebody did not get what they wanted. `error`: the broker itself. */
  severity: 'note' | 'warning' | 'error';
  /** Told in the story of everybody, because it concerns all. */
  concernsAll: boolean;
  tells: string;
  /** When it is written. */
  says: string;
}

type Kind = Pick<EventRow, 'severity' | 'concernsAll'>;
const note: Kind = { severity: 'note', concernsAll: false };
const warning: Kind = { severity: 'warning', concernsAll: false };
const news: Kind = { severity: 'note', concernsAll: true };
const alarm: Kind = { severity: 'error', concernsAll: true };

export const eventRows: Readonly<Record<HappeningName, EventRow>> = {
  'client.connected': {
    ...note,
    tells:
      "connected from {address}:{port} on {listener} ({version}[, {tls}])[ as user '{user}'][ with the certificate {certificate}][ with the pre-shared key {psk}]; {session} session[, {subscriptions|subscriptions}][, {waiting|messages} waited for it]; keep alive {keepAlive} s[; will on {will}]",
    says: 'A client was let in.',
  },
  'client.left': {
    ...note,
    tells: 'left[ after {seconds|span}]: {reason}[; {explanation}]',
    says: 'The connection of a client ended, whoever ended it.',
  },
  'client.refused': {
    ...warning,
    tells: "was refused when it connected from {address}:{port} on {listener}[ as user '{user}'][ with the certificate {certificate}]: {because}",
    says: 'A CONNECT was answered with no.',
  },
  'client.twins': {
    ...warning,
    tells: 'two clients throw each other out under this client identifier: {one} and {other}',
    says: 'takeover_rounds was reached.',
  },
  'client.subscribed': {
    ...note,
    tells: 'subscribed to {filters}',
    says: 'One SUBSCRIBE packet, all its filters.',
  },
  'client.unsubscribed': { ...note, tells: 'unsubscribed from {filters}', says: 'One UNSUBSCRIBE packet.' },
  'session.expired': {
    ...note,
    tells: 'stayed away so long that its session was forgotten[, with {messages|messages} that waited]',
    says: 'A session has reached its expiry.',
  },
  'will.published': { ...note, tells: 'its will was published on {topic}', says: 'A will was said for a client.' },
  'message.refused': {
    ...warning,
    tells: 'was not allowed to {action} {topic}, {count|times}: {because}',
    says: 'The access rules said no; the same again within a second is counted.',
  },
  'message.dropped': {
    ...warning,
    tells: '{messages|messages}[ ({bytes|bytes})] of it or for it went no further: {because}',
    says: 'Messages of a client or for a client were lost, told once a second; what the access rules refuse is message.refused.',
  },
  'connection.failed': {
    ...warning,
    tells: 'a connection from {address}:{port} on {listener} ended before it was a client: {reason}[; {explanation}]',
    says: 'A connection ended, or was ended, before its CONNECT was understood.',
  },
  'handshake.failed': {
    ...warning,
    tells:
      '[the certificate {certificate}: ]no way in from {address}:{port} on {listener}: {reason}; {means}[ {remedy}]',
    says: 'PROXY header, TLS handshake, certificate or WebSocket did not hold.',
  },
  packet: { ...note, tells: '{text}[: {payload}]', says: 'A packet of a client that zancudo trace --record has asked for.' },
  'connection.denied': {
    ...warning,
    tells: 'a connection from {address} on {listener} was closed at once: {limit} is reached',
    says: 'A limit on connections was reached.',
  },
  'address.banned': {
    ...warning,
    tells: 'connections from {address} are closed for {seconds|span}: {because}',
    says: 'ban_after was reached.',
  },
  'bridge.connected': {
    ...note,
    tells: 'bridge {bridge} is connected to {address}',
    says: 'A bridge has reached the other broker.',
  },
  'bridge.disconnected': {
    ...warning,
    tells: 'bridge {bridge} has lost {address}[: {error}]',
    says: 'A bridge was connected and is not any more.',
  },
  'bridge.failed': {
    ...warning,
    tells: 'bridge {bridge} does not reach {address}: {error}',
    says: 'An attempt of a bridge failed; told again when the reason is another one.',
  },
  'store.restored': { ...news, tells: 'the store was read: {text}', says: 'What was kept over a restart.' },
  'store.trouble': { ...alarm, tells: 'the store is in trouble: {text}', says: 'Changes do not reach the disk.' },
  'store.healed': { ...news, tells: 'the store works again: {text}', says: 'Changes reach the disk again.' },
  'broker.started': {
    ...news,
    tells: 'the broker was started: zancudo {version} on Node {node}, process {pid}, {configuration}',
    says: 'The ports are open.',
  },
  'broker.stopped': { ...news, tells: 'the broker was stopped: {because}', says: 'An orderly end.' },
  'broker.notStarted': {
    ...alarm,
    tells: 'the broker could not be started: {error}',
    says: 'A start that failed after the configuration was read.',
  },
  'broker.died': {
    ...alarm,
    tells:
      'the broker had not been stopped before this start, it died: the last that is known of process {pid} is from {last|time}; {machine|machine}',
    says: 'Written by the next start when the record of the one before has no end.',
  },
  'broker.crashed': { ...alarm, tells: 'the broker crashed: {error}', says: 'A fault of the broker ended the process.' },
  'broker.fault': { ...alarm, tells: 'a fault of the broker, which goes on: {error}', says: 'An internal fault that cost one client or one task.' },
  'broker.error': {
    ...alarm,
    tells: '{text}[ ({code})]',
    says: 'A line of the log of the class error that no other event tells.',
  },
  'broker.reloaded': {
    ...news,
    tells: 'the configuration was read again: {outcome}[; in force now: {changed}][; {disconnected|clients} put out][; {said}]',
    says: 'SIGHUP, zancudo reload, or a change in the home, when something has changed or has gone wrong.',
  },
  'broker.stalled': {
    ...alarm,
    tells: 'the broker stood still for {seconds|span}: it was held, or the machine had no time or memory for it',
    says: 'Something that is done every second came more than five seconds late.',
  },
  'broker.pulse': {
    ...note,
    tells: '{clients|clients}, {messagesIn|messages} in and {messagesOut} out in this minute, {residentBytes|bytes} of memory',
    says: 'Once a minute, so that it is known how long the broker was alive.',
  },
  'clock.jumped': {
    ...news,
    severity: 'warning',
    tells: 'the clock of this machine jumped by {seconds|jump}: it was set, or the machine slept',
    says: 'Wall clock and running time disagree by more than five seconds.',
  },
  'record.gap': {
    ...alarm,
    tells: '{events|events} missing here: {because}',
    says: 'The recorder could not keep everything.',
  },
  'record.folded': {
    ...warning,
    tells: '[{kind}: ]{events|events} more within this minute, counted only',
    says: 'One client or address has caused more than 60 events in a minute; the rest of them is only counted.',
  },
}; // prettier-ignore

export const eventNames = Object.keys(eventRows) as HappeningName[];
