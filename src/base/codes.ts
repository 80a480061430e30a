/**
 * The codes of the log: every line that says more than a trace has one, and it stays what it is from release to
 * release. `zancudo help CODE` explains it; the pages are in cli/codes/, this table is what the running broker needs.
 *
 *   news      something happened, nothing is wrong; the code is in JSON alone
 *   theirs    trouble told in Mosquitto's words, which stay as they are: the code stands behind our line below them
 *   ours      trouble told in our own words: the code stands behind the line
 *
 * `folds` says what has to be the same for a line to count as a repetition (observability/log/folding.ts):
 *   never     each one is wanted
 *   code      the code alone
 *   address   and where the peer comes from
 *   client    and the client identifier: a client that comes and goes all the time
 *   noise     as address, but only while something else from there is being folded
 */
import type { FindingCode } from './finding-codes.ts';
import type { Finding } from './finding.ts';

export type Folds = 'never' | 'code' | 'address' | 'client' | 'noise';

export interface CodeRow {
  kind: 'news' | 'theirs' | 'ours';
  folds: Folds;
}

const news = (folds: Folds = 'never'): CodeRow => ({ kind: 'news', folds });
const theirs = (folds: Folds = 'never'): CodeRow => ({ kind: 'theirs', folds });
const ours = (folds: Folds = 'never'): CodeRow => ({ kind: 'ours', folds });

const table = {
  // The broker as a whole
  'broker.starting': news(),
  'broker.feature': news(),
  'broker.running': news(),
  'broker.terminating': news(),
  'broker.configuration': news(),
  'broker.reloading': news(),
  'broker.reload-failed': theirs(),
  'broker.saved': news(),
  'broker.local-only': theirs(),
  'broker.cannot-start': theirs(),
  'broker.no-such-user': theirs(),
  'broker.pid-file': theirs(),
  'broker.privileges': theirs(),
  'broker.service-manager': ours(),
  'broker.keylog': theirs(),
  'broker.operators-socket': ours(),
  'broker.control': news(),
  'broker.fault': ours('code'),
  'broker.certificate-ends': ours(),
  'conf.invalid': theirs(),
  'conf.remark': ours(),
  'conf.warning': theirs(),
  'plugin.loading': news(),
  'plugin.says': news(),
  'plugin.cannot-load': theirs(),
  'plugin.fault': ours('code'),
  'plugin.too-many-faults': ours(),
  'log.cannot-open': theirs(),
  'log.cannot-write': ours(),
  'log.lines-dropped': ours(),

  // Listeners
  'listener.opening': news(),
  'listener.cannot-open': theirs(),
  'listener.remark': ours(),
  'listener.sockets-used-up': ours('code'),
  'listener.certificate-reload': theirs(),
  'listener.certificate-kept': ours(),
  'http.directory': news(),
  'http.clear-text': ours(),
  'http.refused': ours('address'),
  'http.closed': ours('address'),

  // A connection, before it is a client
  'connection.opened': news('noise'),
  'connection.limit': theirs('address'),
  'connection.rate': theirs('address'),
  'connection.banned': ours('address'),
  'connection.bans-full': ours('code'),
  'connection.bans-not-kept': ours('code'),
  'connection.silent': theirs('address'),
  'connection.broken-off': theirs('address'),
  'connection.no-connect': theirs('address'),
  'connection.tls-on-plain-port': theirs('address'),
  'connection.http-on-mqtt-port': theirs('address'),
  'connection.ssh-on-mqtt-port': theirs('address'),
  'connection.websocket-on-mqtt-port': theirs('address'),
  'connection.proxy-on-mqtt-port': theirs('address'),
  'connection.not-mqtt': theirs('address'),
  'connection.bad-packet': theirs('address'),
  'proxy.accepted': news('noise'),
  'proxy.bad-header': theirs('address'),
  'proxy.no-tls': theirs('address'),
  'proxy.no-certificate': theirs('address'),
  'websocket.not-http': theirs('address'),
  'websocket.browser': theirs('address'),
  'websocket.no-upgrade': theirs('address'),
  'websocket.no-key': theirs('address'),
  'websocket.no-subprotocol': theirs('address'),
  'websocket.version': theirs('address'),
  'websocket.origin': theirs('address'),
  'websocket.request-too-long': theirs('address'),
  'websocket.early-bytes': theirs('address'),
  'listener.websocket-only': theirs('address'),

  // TLS
  'tls.plain-on-tls-port': theirs('address'),
  'tls.http-on-tls-port': theirs('address'),
  'tls.not-tls': theirs('address'),
  'tls.broken-off': theirs('address'),
  'tls.silent-leave': theirs('address'),
  'tls.no-client-certificate': theirs('address'),
  'tls.client-distrusts-ca': theirs('address'),
  'tls.client-says-expired': theirs('address'),
  'tls.client-says-revoked': theirs('address'),
  'tls.client-broke-off': theirs('address'),
  'tls.client-rejects-certificate': theirs('address'),
  'tls.client-cannot-verify': theirs('address'),
  'tls.client-agrees-on-nothing': theirs('address'),
  'tls.client-gave-up': theirs('address'),
  'tls.version-too-old': theirs('address'),
  'tls.no-common-cipher': theirs('address'),
  'tls.no-common-signature': theirs('address'),
  'tls.no-common-group': theirs('address'),
  'tls.no-common-protocol': theirs('address'),
  'tls.psk-unknown-identity': theirs('address'),
  'tls.psk-wrong-key': theirs('address'),
  'tls.psk-not-proved': theirs('address'),
  'tls.client-key-not-proved': theirs('address'),
  'tls.handshake-failed': theirs('address'),
  'tls.client-certificate-expired': theirs('address'),
  'tls.client-ca-expired': theirs('address'),
  'tls.client-certificate-not-yet-valid': theirs('address'),
  'tls.client-certificate-revoked': theirs('address'),
  'tls.client-certificate-unknown-ca': theirs('address'),
  'tls.client-certificate-purpose': theirs('address'),
  'tls.client-certificate-issuer-no-ca': theirs('address'),
  'tls.client-certificate-forged': theirs('address'),
  'tls.client-certificate-weak': theirs('address'),
  'tls.client-certificate-chain-too-long': theirs('address'),
  'tls.client-certificate-refused': theirs('address'),
  'tls.client-certificate-missing': theirs('address'),
  'tls.client-certificate-unreadable': theirs('address'),
  'tls.crl-missing': theirs('address'),
  'tls.crl-expired': theirs('address'),
  'tls.crl-not-yet-valid': theirs('address'),
  'tls.crl-unusable': theirs('address'),

  // Clients
  'client.connected': news('client'),
  'client.disconnected': news('client'),
  'client.refused': theirs('address'),
  'client.taken-over': news('client'),
  'client.timed-out': news('client'),
  'client.kicked': theirs('client'),
  'client.fault': theirs('client'),
  'tls.psk-withdrawn': theirs('address'),
  'client.taking-turns': ours('client'),
  'client.confined': news('client'),
  'client.expired': news(),
  'client.protocol-error': theirs('client'),
  'client.too-slow': ours('client'),
  'client.may-not': ours('client'),
  'client.refusals-untold': ours('code'),
  'client.quota-exceeded': theirs('client'),
  'message.dropped': theirs('client'),
  'message.too-large': theirs('client'),
  'message.id-reused': theirs('client'),
  'message.id-unknown': theirs('client'),
  'message.retained-full': ours('code'),

  // What is kept
  'store.opened': news(),
  'store.remark': ours(),
  'store.cannot-open': theirs(),
  'store.trouble': ours(),
  'store.healed': news(),
  'store.taken-over': news(),
  'store.not-taken-over': ours(),

  // What is told elsewhere than in the log
  'recorder.trouble': ours(),
  'recorder.remark': news(),
  'otel.started': news(),
  'otel.cannot-start': ours(),
  'otel.collector-silent': ours('code'),
  'otel.collector-back': news(),

  // Who may
  'access.remark': theirs(),
  'access.file-unreadable': theirs(),
  'access.notice': news(),
  'access.quarantined': ours(),
  'access.released': news(),
  'backend.remark': ours(),
  'backend.silent': ours(),
  'backend.answers': news(),
  'dynsec.request': news(),
  'dynsec.not-saved': theirs(),
  'dynsec.not-loaded': theirs(),
  'dynsec.open-to-others': ours(),
  'dynsec.passwords-unreadable': ours(),
  'dynsec.first-start': theirs(),
  'enrolment.no-ca': ours(),
  'enrolment.issued': news(),
  'enrolment.refused': ours('address'),

  // Bridges
  'bridge.connecting': news(),
  'bridge.connected': news(),
  'bridge.back-off': news(),
  'bridge.idle': news(),
  'bridge.back-to-first': news(),
  'bridge.failing': ours(),
  'bridge.remote-refuses': theirs(),
  'bridge.remote-too-old': theirs(),
  'bridge.remark': ours(),
} satisfies Record<string, CodeRow>;

export type LogCode = keyof typeof table;

/** Everything that `zancudo help CODE` knows. */
export type Code = LogCode | FindingCode;

const found = ours();

/** Findings are told in our own words, each as often as it is found. */
export function rowOf(code: Code): CodeRow {
  return isLogCode(code) ? table[code] : found;
}

/** That the table has it is looked after by a test (cli/codes/codes.test.ts). */
export function codeOf(finding: Finding): Code {
  return finding.code as Code;
}

/** For codes that come from elsewhere as a text: the verdict on a certificate. */
export function isLogCode(text: string): text is LogCode {
  return Object.hasOwn(table, text);
}

/**
 * What a line is about, for programs: every field says what the sentence says, without anybody having to take the
 * sentence apart. Values are the peer's own words; whoever writes them down bounds and escapes them.
 */
export interface About {
  code: Code;
  client?: string | undefined;
  user?: string | null | undefined;
  address?: string | undefined;
  port?: number | undefined;
  listener?: string | undefined;
  /** The subject of the client's certificate. */
  certificate?: string | undefined;
  /** How far it came: TCP, PROXY, TLS, WebSocket, HTTP, CONNECT. */
  phase?: string | undefined;
  /** The first bytes that came, escaped. */
  bytes?: string | undefined;
  /** Why, as a phrase from a fixed few: it can be counted by. */
  reason?: string | undefined;
  topic?: string | undefined;
  rule?: string | undefined;
  bridge?: string | undefined;
  file?: string | undefined;
  count?: number | undefined;
}
