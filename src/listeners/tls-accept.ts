/**
 * The TLS step of an arrival.
 *
 *   first byte   0x16 -> handshake;  0x10 -> plain MQTT, refused by the heart in words the client understands;
 *                HTTP, anything else, silence -> named and closed
 *   handshake    OpenSSL's alert for no certificate, no common cipher and the like; each failure named
 *   verdict      a certificate that does not hold completes the handshake: the heart answers CONNECT with a refusal
 *
 * Not tls.createServer: that one destroys a peer with a bad certificate without an alert, and tells no one who it was.
 */
import type { X509Certificate } from 'node:crypto';
import { TLSSocket, type TLSSocketOptions } from 'node:tls';
import { isLogCode, type LogCode } from '../base/mod.ts';
import type { PeerRefusal } from '../broker/ports.ts';
import { errorCode } from '../transport/mod.ts';
import type { Arrival } from './arrival.ts';
import { isOnlyOutOfDate, judgeClient, ourVerdict } from './client-verdict.ts';
import { recognise, type Tongue } from './first-bytes.ts';
import type { Judgement } from './options.ts';
import type { LoadedTls } from './tls-context.ts';
import { meaningOf, opensslText } from './tls-errors.ts';
import { certificateDer, certificateOf, describeCertificate } from './peer-certificate.ts';

const WRONG_VERSION = 'error:0A00010B:SSL routines::wrong version number';
const HTTP_REQUEST = 'error:0A00009C:SSL routines::http request';
const EXPIRED = 'tls.client-certificate-expired';
const TLS_HANDSHAKE = 'TLS handshake failed';
const VERIFY_FAILED = 'error:0A000086:SSL routines::certificate verify failed';

export async function startTls(arrival: Arrival): Promise<boolean> {
  arrival.phase = 'TLS';
  const tongue = await arrival.readAhead(bytes => ({ value: recognise(bytes), used: 0 }));
  if (tongue === null) return arrival.gone('TLS handshake');
  if (tongue !== 'tls') return refuseOther(arrival, tongue);
  const tls = arrival.listener.tls!;
  const proof: PskProof = { identity: null, key: null };
  const socket = wrap(arrival, tls, proof);
  if (!(await handshakeDone(arrival, socket))) return refuseHandshake(arrival);
  if (!notePeer(arrival, socket, tls, proof)) return false;
  watchSilentLeave(arrival, socket);
  return true;
}

/** What the client has shown about a pre-shared key during the handshake. */
interface PskProof {
  identity: string | null;
  key: Buffer | null;
}

function wrap(arrival: Arrival, tls: LoadedTls, proof: PskProof): TLSSocket {
  const { psk, alpn } = tls.options;
  const { requireCertificate, requestCertificate } = arrival.listener.rules;
  const options: TLSSocketOptions & Record<string, unknown> = {
    isServer: true,
    secureContext: tls.context,
    requestCert: (requireCertificate || requestCertificate) && psk === null,
    // For OpenSSL's own alert where no certificate comes; every other verdict is ours (client-verdict.ts).
    rejectUnauthorized: requireCertificate,
  };
  if (alpn.length > 0) options.ALPNProtocols = [...alpn];
  if (psk !== null) {
    options.pskIdentityHint = psk.hint;
    options.pskCallback = (_socket: TLSSocket, identity: string): Buffer | null => {
      proof.identity = identity;
      proof.key = psk.lookup(identity);
      return proof.key;
    };
  }
  const socket = new TLSSocket(arrival.raw, options);
  arrival.socket = socket;
  const { keylog } = arrival.listener.shared.options;
  if (keylog !== null) socket.on('keylog', keylog);
  return socket;
}

function handshakeDone(arrival: Arrival, socket: TLSSocket): Promise<boolean> {
  return new Promise(resolve => {
    socket.once('secure', () => resolve(true));
    socket.once('close', () => resolve(false));
    // Stays for the life of the connection: OpenSSL's words are logged here, the link says `Protocol error`.
    socket.on('error', (error: Error) => {
      arrival.error ??= error;
      if (errorCode(error).startsWith('ERR_SSL_'))
        logOpenssl(arrival, meaningOf(errorCode(error)).code, opensslText(error));
    });
    // A fault after the handshake is kept inside by Node unless a tls.Server owns the socket; it says this much.
    socket.on('_tlsError', (error: Error) => void socket.destroy(error));
  });
}

/** Causes are texts of ours, so that a few dozen counters are all there can be. */
function countRefusal({ listener }: Arrival, cause: string): void {
  const { meter } = listener.shared.options;
  meter.tlsRefused++;
  meter.refusals.set(cause, (meter.refusals.get(cause) ?? 0) + 1);
}

function logOpenssl(arrival: Arrival, code: LogCode, text: string): void {
  const { log } = arrival.listener.shared.options;
  log.write('error', `OpenSSL Error while trying to get the error[0]: ${text}`, arrival.about(code));
}

function refuseHandshake(arrival: Arrival): false {
  const { log } = arrival.listener.shared.options;
  const code = errorCode(arrival.error);
  if (!arrival.timedOut) countRefusal(arrival, TLS_HANDSHAKE);
  if (arrival.timedOut || !code.startsWith('ERR_SSL_')) {
    if (!arrival.timedOut && log.connections) explainBrokenOff(arrival);
    return arrival.gone('TLS handshake');
  }
  const meaning = meaningOf(code);
  // The peer is named and the reason told even where connection messages are off: somebody is being refused.
  if (!log.connections) arrival.explain(meaning.code, meaning.means, meaning.remedy);
  return arrival.refuse(meaning.code, 'Protocol error.', meaning.means, meaning.remedy);
}

function explainBrokenOff(arrival: Arrival): void {
  const means =
    'the client broke off the TLS handshake without an alert; Node.js clients do so when they do not trust our certificate.';
  arrival.explain(
    'tls.broken-off',
    means,
    'Give the client our CA certificate, and connect by a name that our certificate holds.',
  );
}

function refuseOther(arrival: Arrival, tongue: Exclude<Tongue, 'tls'>): false {
  countRefusal(arrival, 'no TLS on a TLS port');
  if (tongue === 'http') {
    logOpenssl(arrival, 'tls.http-on-tls-port', HTTP_REQUEST);
    return arrival.refuse(
      'tls.http-on-tls-port',
      'Protocol error.',
      'HTTP without TLS on a TLS port.',
      'Use https:// or wss://, on a listener with protocol websockets.',
    );
  }
  const code = tongue === 'mqtt' ? 'tls.plain-on-tls-port' : 'tls.not-tls';
  logOpenssl(arrival, code, WRONG_VERSION);
  if (tongue === 'unknown') {
    return arrival.refuse(
      code,
      'Protocol error.',
      `neither TLS nor MQTT on a TLS port, but ${arrival.seen}: a port scan, or a device set to another protocol.`,
      'Check what the device is meant to speak.',
    );
  }
  arrival.explain(
    code,
    'plain MQTT on a TLS port.',
    'Let the client use TLS (mosquitto_sub: --cafile CA), or connect to a listener without TLS.',
  );
  arrival.peer.refusal = { code: 'tls.plain-on-tls-port', reason: 'this port requires TLS' };
  arrival.handOver();
  return false;
}

/** RFC 9266. In TLS 1.2 it would need the extended master secret, of which Node says nothing. */
function channelBinding(socket: TLSSocket): Buffer | null {
  return socket.destroyed ? null : socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0));
}

/** Fills in what the handshake has proved. False: closed, nothing may follow. */
function notePeer(arrival: Arrival, socket: TLSSocket, tls: LoadedTls, proof: PskProof): boolean {
  const { peer } = arrival;
  const cipher = socket.getCipher().name;
  peer.tls = { version: socket.getProtocol() ?? 'unknown', cipher };
  if (peer.tls.version === 'TLSv1.3') peer.channelBinding = () => channelBinding(socket);
  if (tls.options.psk !== null) return notePsk(arrival, proof, cipher);
  const { requireCertificate, requestCertificate } = arrival.listener.rules;
  const shown = requireCertificate || requestCertificate ? certificateOf(socket) : null;
  if (requireCertificate || shown !== null) noteCertificate(arrival, socket, shown, tls);
  peer.recheck = () => recheckCertificate(arrival, socket);
  return true;
}

/** A key was named and the cipher used it: neither alone is proof. */
function notePsk(arrival: Arrival, proof: PskProof, cipher: string): boolean {
  const { identity, key } = proof;
  if (identity === null || key === null || !cipher.includes('PSK')) {
    countRefusal(arrival, 'pre-shared key not proved');
    return arrival.refuse(
      'tls.psk-not-proved',
      'Protocol error.',
      'the handshake did not prove a pre-shared key.',
      'Give the client an identity and key of psk_file.',
    );
  }
  arrival.peer.pskIdentity = identity;
  arrival.peer.recheck = () => {
    const present = arrival.listener.tls?.options.psk?.lookup(identity) ?? null;
    if (present !== null && present.equals(key)) return null;
    return { code: 'tls.psk-withdrawn', reason: 'the pre-shared key is no longer valid' };
  };
  return true;
}

function noteCertificate(arrival: Arrival, socket: TLSSocket, leaf: X509Certificate | null, tls: LoadedTls): void {
  const { options } = arrival.listener.shared;
  if (leaf !== null) arrival.peer.certificate = describeCertificate(leaf);
  arrival.peer.certificateDer = () => certificateDer(socket);
  const judgement = judgeClient(socket, leaf, tls.trust, options);
  if (judgement === null) return;
  if (leaf !== null && notePass(arrival, socket, tls, judgement, leaf)) return;
  countRefusal(arrival, judgement.code);
  logOpenssl(arrival, codeOf(judgement), VERIFY_FAILED);
  explainJudgement(arrival, judgement);
  arrival.record(judgement.reason, `${judgement.log}.`, judgement.remedy.join(' '));
  arrival.peer.refusal = { code: judgement.code, reason: judgement.reason };
}

/** True: the certificate has expired, and is still good for being renewed. */
function notePass(
  { listener, peer }: Arrival,
  socket: TLSSocket,
  { trust }: LoadedTls,
  { code, reason }: Judgement,
  certificate: X509Certificate,
): boolean {
  const { options } = listener.shared;
  if (code !== EXPIRED || !isOnlyOutOfDate(socket, certificate, trust, options)) return false;
  const pass = options.passForExpired(listener.rules, certificate.raw);
  if (pass === null) return false;
  peer.refusal = { code, reason };
  peer.pass = pass;
  return true;
}

function explainJudgement(arrival: Arrival, judgement: Judgement): void {
  arrival.explain(codeOf(judgement), `${judgement.log}.`, judgement.remedy.join(' '));
}

/** Every verdict has its code in the table; whoever judges may be another one some day. */
function codeOf({ code }: Judgement): LogCode {
  return isLogCode(code) ? code : 'tls.client-certificate-refused';
}

/** After a reload: the same certificate under the present CA, CRL and date. OpenSSL cannot be asked twice. */
function recheckCertificate(arrival: Arrival, socket: TLSSocket): PeerRefusal | null {
  const { listener } = arrival;
  const leaf = arrival.peer.certificate === null ? null : certificateOf(socket);
  if (leaf === null) {
    if (!listener.rules.requireCertificate) return null;
    return { code: 'tls.client-certificate-missing', reason: 'a client certificate is required' };
  }
  const judgement = ourVerdict(socket, leaf, listener.tls!.trust, listener.shared.options);
  if (judgement === null) return null;
  explainJudgement(arrival, judgement);
  return { code: judgement.code, reason: judgement.reason };
}

/** Some clients reject our certificate without an alert, after the handshake: they just leave. */
function watchSilentLeave(arrival: Arrival, socket: TLSSocket): void {
  if (!arrival.listener.shared.options.log.connections) return;
  // One tick later: the heart's own line comes first.
  socket.once('close', () => process.nextTick(explainSilentLeave, arrival));
}

function explainSilentLeave(arrival: Arrival): void {
  const { link, error } = arrival;
  if (link === null || link.heard || link.ended?.by === 'us' || error !== null) return;
  arrival.explain('tls.silent-leave', ...SILENT_LEAVE);
  arrival.record('left before CONNECT', ...SILENT_LEAVE);
}

export const SILENT_LEAVE: readonly [means: string, remedy: string] = [
  'the client left right after the TLS handshake, before CONNECT; Node.js clients do so when they do not trust our certificate.',
  'Give the client our CA certificate, and connect by a name that our certificate holds.',
];
