/**
 * One real TLS handshake, within limits, judged by nobody: what came of it is told, with the certificates that the
 * server sent.
 *
 *   connect ── ClientHello within the limits ── certificates ── a moment's wait ── outcome
 *
 * The wait: in TLS 1.3 a client is through before the server has looked at its certificate, or at the lack of one; its
 * refusal comes after.
 */
import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { connect, type ConnectionOptions, type SecureVersion, type TLSSocket } from 'node:tls';

export interface Peer {
  host: string;
  port: number;
}

/** What a client offers. Lists are OpenSSL's; null for all that OpenSSL has. */
export interface Offer {
  minVersion: SecureVersion;
  maxVersion: SecureVersion;
  ciphers: string | null;
  groups: string | null;
  signatures: string | null;
  cert?: string;
  key?: string;
}

export interface Outcome {
  /** Null when the handshake went through and the server did not take it back. */
  error: NodeJS.ErrnoException | null;
  /** From here on null where the handshake did not get that far. */
  version: string | null;
  cipher: string | null;
  /** The server's own certificate first. */
  chain: X509Certificate[];
}

const connectMs = 10_000;
/** A session ticket, or a refusal, comes within one round trip. */
const verdictMs = 600;

/** All that OpenSSL can do, keys of any size: the verdict on them is the caller's. */
export const everything = 'ALL:@SECLEVEL=0';

export async function shake({ host, port }: Peer, offer: Offer): Promise<Outcome> {
  const outcome: Outcome = { error: null, version: null, cipher: null, chain: [] };
  let socket: TLSSocket;
  try {
    socket = connect({ host, port, ...optionsOf(host, offer) });
  } catch (error) {
    return { ...outcome, error: error as NodeJS.ErrnoException };
  }
  return new Promise(resolve => {
    const settle = (error: NodeJS.ErrnoException | null): void => {
      clearTimeout(timer);
      socket.removeAllListeners().on('error', () => undefined);
      socket.destroy();
      resolve({ ...outcome, error });
    };
    let timer = setTimeout(() => settle(withCode('ETIMEDOUT', 'no answer')), connectMs);
    socket.once('error', settle);
    socket.once('close', () => settle(withCode('ECONNRESET', 'the server closed the connection')));
    socket.once('secureConnect', () => {
      outcome.version = socket.getProtocol();
      outcome.cipher = socket.getCipher().standardName;
      outcome.chain = chainOf(socket.getPeerX509Certificate());
      if (outcome.version !== 'TLSv1.3') return settle(null);
      clearTimeout(timer);
      timer = setTimeout(() => settle(null), verdictMs);
    });
    // Two tickets come in a row; in TLS 1.2 the one comes before the handshake is through.
    socket.on('session', () => {
      if (outcome.version === 'TLSv1.3') settle(null);
    });
  });
}

function optionsOf(host: string, offer: Offer): ConnectionOptions {
  const { minVersion, maxVersion, ciphers, groups, signatures, cert, key } = offer;
  return {
    ...(isIP(host) ? {} : { servername: host }),
    rejectUnauthorized: false,
    ca: [],
    minVersion,
    maxVersion,
    ciphers: ciphers ?? everything,
    ...(groups === null ? {} : { ecdhCurve: groups }),
    ...(signatures === null ? {} : { sigalgs: signatures }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}

function withCode(code: string, message: string): NodeJS.ErrnoException {
  return Object.assign(new Error(message), { code });
}

function chainOf(leaf: X509Certificate | undefined): X509Certificate[] {
  const chain: X509Certificate[] = [];
  // A chain that the peer made up could be a ring.
  for (let each = leaf; each !== undefined && chain.length < 10; each = each.issuerCertificate) {
    const { fingerprint256 } = each;
    if (chain.some(before => before.fingerprint256 === fingerprint256)) break;
    chain.push(each);
  }
  return chain;
}

/** `host:port`, `[::1]:port`, or a host alone; null when it is none of them. */
export function peerOf(text: string): Peer | null {
  const match = /^(?:\[([^\]]+)\]|([^:[\]\s]+))(?::(\d{1,5}))?$/.exec(text);
  const bare = isIP(text) === 6 ? text : (match?.[1] ?? match?.[2]);
  const port = Number(match?.[3] ?? 8883);
  return bare === undefined || port < 1 || port > 65_535 ? null : { host: bare, port };
}
