/**
 * Who asks on an http_api listener, and may they: the login check of that listener under the client identifier
 * `http-api`, then its access rules, with the path of the request as the topic to read (docs/compat/runtime.md, 6).
 */
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import type { AccessControl, Identity, Log, Peer, Verdict } from '../broker/ports.ts';

export interface Login {
  identity: Identity;
  /** True when a certificate or a password was shown, and not only nothing asked. */
  proved: boolean;
}

const CLIENT_ID = 'http-api';

/** Null when the answer is 401; why stands in the log. */
export async function logIn(
  access: AccessControl,
  log: Log,
  request: IncomingMessage,
  peer: Peer,
  path: string,
): Promise<Login | null> {
  const { listener, address } = peer;
  const certificate = nameOfCertificate(peer);
  const { username, password } = certificate === null ? basicOf(request) : { username: certificate, password: null };
  const identity: Identity = { clientId: CLIENT_ID, username, listener, address };
  const verdict: Verdict =
    certificate !== null ? { allowed: true } : await access.authenticate({ ...identity, password, peer });
  if (!verdict.allowed) return refuse(log, identity, peer, verdict.because);
  if (!access.mayRead(identity, path))
    return refuse(log, identity, peer, `the access rules give it no read on ${path}`);
  return { identity, proved: username !== null };
}

function refuse(log: Log, { username }: Identity, { address, port, listener }: Peer, because: string): null {
  const user = username === null ? '' : `, user '${username}'`;
  log.write('notice', `HTTP request from ${address}:${port} on ${listener.name}${user} was refused: ${because}`, {
    code: 'http.refused',
    user: username,
    address,
    port,
    listener: listener.name,
  });
  return null;
}

/** A certificate that gives a user name replaces the password, as it does for MQTT. */
function nameOfCertificate({ certificate, listener, proxied }: Peer): string | null {
  if (certificate === null || proxied === true) return null;
  if (listener.useIdentityAsUsername) return certificate.commonName;
  return listener.useSubjectAsUsername ? certificate.subject : null;
}

function basicOf({ headers }: IncomingMessage): { username: string | null; password: Buffer | null } {
  const [, encoded] = /^Basic +([A-Za-z0-9+/=]+) *$/i.exec(headers.authorization ?? '') ?? [];
  if (encoded === undefined) return { username: null, password: null };
  const decoded = Buffer.from(encoded, 'base64');
  const colon = decoded.indexOf(':');
  if (colon < 0) return { username: decoded.toString(), password: null };
  return { username: decoded.subarray(0, colon).toString(), password: decoded.subarray(colon + 1) };
}

/** Peers of a Unix socket have a path for an address. */
export function isOnThisMachine(address: string): boolean {
  const plain = address.replace(/^::ffff:/i, '');
  return isIP(plain) === 0 || plain === '::1' || plain.startsWith('127.');
}
