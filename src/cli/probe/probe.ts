/**
 * Would this device connect? A real handshake within its limits, then its own checks on the certificates it was shown.
 *
 *   once:        a handshake without limits: what the server has to offer
 *   per device:  a handshake within its limits ── failed? ── why, by what the server has and the device has not
 *                └── went through ── the chain against its limits ── does the port speak MQTT, or WebSocket?
 */
import type { X509Certificate } from 'node:crypto';
import { ClientError, connect } from '../../client/mod.ts';
import { certificatesOf, factsOf, objectionsTo } from '../../pki/mod.ts';
import { tasmotaFingerprint } from '../kit/tasmota-fingerprint.ts';
import type { Device } from './devices.ts';
import { shake, type Offer, type Outcome, type Peer } from './handshake.ts';
import type { Trusted } from './trusted.ts';

export interface Reason {
  code: string;
  saw: string;
  remedy: readonly string[];
}

export interface Verdict {
  device: string;
  /** Null when the handshake did not go through. */
  version: string | null;
  cipher: string | null;
  /** Empty: it connects. */
  reasons: Reason[];
  notes: readonly string[];
}

export interface Question {
  peer: Peer;
  trusted: Trusted;
  /** What the device shows the server; null for nothing. */
  identity: { cert: string; key: string } | null;
  now: number;
}

const unlimited: Offer = { minVersion: 'TLSv1', maxVersion: 'TLSv1.3', ciphers: null, groups: null, signatures: null };

/** What the server has for somebody who can do everything. */
export function survey({ peer, identity }: Question): Promise<Outcome> {
  return shake(peer, { ...unlimited, ...identity });
}

export async function probe(device: Device, question: Question, server: Outcome): Promise<Verdict> {
  const { peer, trusted, identity, now } = question;
  const outcome = await shake(peer, { ...device.offer, ...identity });
  const { version, cipher, chain } = outcome;
  const reasons = identity === null ? [] : unfitIdentity(device, identity.cert);
  const verdict = { device: device.name, version, cipher, reasons, notes: notesFor(device, chain) };
  if (outcome.error !== null) verdict.reasons.push(await whyFailed(device, question, outcome, server));
  const view = { host: peer.host, chain, trusted: trusted.certificates, limits: device.limits, now };
  verdict.reasons.push(...objectionsTo(view));
  if (verdict.reasons.length === 0) verdict.reasons.push(...(await noMqtt(question, device.webSocket)));
  return verdict;
}

/** Its own certificate must be of a kind that it can sign with. */
function unfitIdentity({ limits }: Device, cert: string): Reason[] {
  const [own] = certificatesOf(cert).map(factsOf);
  const known = new Set(['rsa', 'ec', ...limits.leafKeys]);
  if (!own || (known.has(own.key.type) && (own.key.curve === null || limits.curves.includes(own.key.curve)))) return [];
  return [
    {
      code: 'probe.own-key-kind',
      saw: `the certificate it is to show has ${keyText(own)} key, which it does not know`,
      remedy: ['zancudo device add NAME   (P-256; with --key rsa for RSA-2048)'],
    },
  ];
}

/** Tasmota is told the fingerprint, so it is said here, too. */
function notesFor({ name, notes }: Device, [leaf]: readonly X509Certificate[]): readonly string[] {
  if (name !== 'tasmota' || leaf?.publicKey.asymmetricKeyType !== 'rsa') return notes;
  return [...notes, `MqttFingerprint1 ${tasmotaFingerprint(leaf.publicKey)}`];
}

async function whyFailed(device: Device, question: Question, outcome: Outcome, server: Outcome): Promise<Reason> {
  const code = outcome.error?.code ?? '';
  if (server.version === null) return whyNobody(question);
  if (/PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL/.test(code)) return noVersion(device, server);
  if (wantsCertificate(outcome)) return certificateWanted;
  const kind = server.chain[0]?.publicKey.asymmetricKeyType ?? '';
  if (!device.limits.leafKeys.includes(kind)) return noCertificate(device, server);
  // TLS 1.2 has one alert for "no suite in common" and for "show me a certificate".
  if (wantsCertificate(server)) return certificateWanted;
  if (/HANDSHAKE_FAILURE|NO_SHARED_CIPHER|NO_SUITABLE|INSUFFICIENT_SECURITY/.test(code)) return noSuite(server);
  const words = outcome.error?.message ?? code;
  return {
    code: 'probe.handshake',
    saw: `the handshake failed: ${words}`,
    remedy: [`The log of the broker says more.`],
  };
}

/** A server that knows only TLS 1.3 says so after the handshake, one of TLS 1.2 in the midst of it. */
export function wantsCertificate({ error }: Outcome): boolean {
  return /CERTIFICATE_REQUIRED|NO_CERTIFICATE/.test(error?.code ?? '');
}

const certificateWanted: Reason = {
  code: 'probe.client-certificate',
  saw: 'the server wants a certificate of the client',
  remedy: ['Show it one: --cert FILE --key FILE   (zancudo device add NAME makes both)'],
};

/** The server has nothing for anybody: the client's own words for that. */
async function whyNobody({ peer, trusted }: Question): Promise<Reason> {
  try {
    const tls = trusted.pem === null ? {} : { ca: [trusted.pem] };
    const client = await connect({ ...peer, tls, reconnect: false });
    await client.disconnect();
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    return { code: error.code, saw: error.message.replace(/\.$/, ''), remedy: error.remedy };
  }
  return { code: 'probe.unsteady', saw: 'the server refused one handshake and took the next', remedy: ['Try again.'] };
}

function noVersion({ offer }: Device, { version }: Outcome): Reason {
  const range = offer.minVersion === offer.maxVersion ? offer.maxVersion : `${offer.minVersion} to ${offer.maxVersion}`;
  return {
    code: 'probe.version',
    saw: `it speaks ${range}, which the server does not accept (it speaks ${version})`,
    remedy: ['tls_version tlsv1.2   (in the configuration of the broker: the oldest version to accept)'],
  };
}

function noCertificate({ limits }: Device, { chain }: Outcome): Reason {
  const kind = chain[0] === undefined ? 'no' : keyText(factsOf(chain[0]));
  const isRsaOnly = !limits.leafKeys.includes('ec');
  return {
    code: 'probe.key-kind',
    saw: `the server's certificate has ${kind} key, and it knows ${isRsaOnly ? 'RSA only' : 'RSA and ECDSA'}`,
    remedy: [
      isRsaOnly
        ? 'Give the listener a second chain with RSA-2048: certfile_rsa, keyfile_rsa. A home has both.'
        : 'Give the listener a certificate with P-256 or RSA-2048.',
    ],
  };
}

function keyText({ key: { type, curve } }: ReturnType<typeof factsOf>): string {
  return type === 'rsa' ? 'an RSA' : curve === null ? `an ${type}` : `an ECDSA (${curve})`;
}

function noSuite({ version, cipher }: Outcome): Reason {
  return {
    code: 'probe.suite',
    saw: `no cipher suite, curve or kind of signature in common; others get ${version}, ${cipher}`,
    remedy: ['Take "ciphers" and "tls_groups" out of the configuration of the broker: its defaults suit every device here.'],
  };
} // prettier-ignore

/** The chain was judged by the device's own rules, so here nothing of it is asked. */
async function noMqtt({ peer, identity }: Question, webSocket: boolean): Promise<Reason[]> {
  const tls = { insecure: true, ...identity };
  try {
    const client = await connect({ ...peer, tls, ...(webSocket ? { websocket: {} } : {}), reconnect: false });
    await client.disconnect();
    return [];
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    const words = error.message.replace(/\.$/, '');
    // A broker that wants a password has answered in MQTT, so the way is open; with a reason it is not.
    if (error.kind === 'refused') return error.reasonString === undefined ? [] : [refused(words)];
    return [webSocket ? noWebSocket(words) : { code: 'probe.mqtt', saw: `TLS is fine, but the port does not speak MQTT: ${words}`, remedy: error.remedy }]; // prettier-ignore
  }
}

function refused(words: string): Reason {
  return { code: 'probe.refused', saw: words, remedy: ['The log of the broker says more.'] };
}

function noWebSocket(words: string): Reason {
  return {
    code: 'probe.websocket',
    saw: `the port does not speak WebSocket, and a browser speaks nothing else (${words})`,
    remedy: ['Open a port with: protocol websockets   (a home has one: 8884)'],
  };
}
