/**
 * The broker's own two certificates, P-256 for whatever is modern and RSA-2048 for what is not, in a folder:
 *
 *   server/server.key, server.crt           leaf and issuing CA, in the order a server sends them; while a new root
 *                                           is being handed out, also what the old root says of the new one
 *   server/server-rsa.key, server-rsa.crt   the same names on an RSA key, signed by the same CA
 *
 * Keys stay when certificates are renewed, so that devices which pinned a public key keep working. Certificates that
 * somebody put here from elsewhere are left alone.
 */
import type { X509Certificate } from 'node:crypto';
import { type KeyObject } from 'node:crypto';
import path from 'node:path';
import type { Finding } from '../base/mod.ts';
import { ensureKey, isIssuedHere, type Authority, type AuthorityFolder } from './authority.ts';
import { certificatesOf, factsOf, signedBy, type SubjectAltName } from './inspect.ts';
import { issue } from './issue.ts';
import { readIfThere } from './key-store.ts';
import type { KeyKind } from './keys.ts';
import type { MachineNames } from './machine-names.ts';
import { timeText } from './time-text.ts';

export interface ServerPair {
  kind: KeyKind;
  certificate: string;
  key: string;
}

/** Certificates are renewed this long before they end, and when their names no longer cover the machine's. */
const renewBeforeMs = 30 * 86_400_000;

/** X.520's bound for a common name; longer host names stand in the alternative names alone. */
const commonNameLengthMax = 64;

export function serverPairs(folder: string): ServerPair[] {
  const file = (name: string) => path.join(folder, 'server', name);
  return [
    { kind: 'ec', certificate: file('server.crt'), key: file('server.key') },
    { kind: 'rsa', certificate: file('server-rsa.crt'), key: file('server-rsa.key') },
  ];
}

/** Makes or renews one certificate if it needs to be; a finding when it is not ours to renew. */
export async function ensureServerCertificate(
  home: AuthorityFolder,
  authority: Authority,
  pair: ServerPair,
  machine: MachineNames,
): Promise<Finding | null> {
  const text = readIfThere(pair.certificate);
  const chain = text === null ? [] : chainIn(text);
  const [leaf] = chain;
  if (leaf && !isIssuedHere(leaf)) return foreignCertificate(pair, leaf, home.now);
  const key = await ensureKey(home, pair.key, pair.kind);
  const above = [authority.issuer.certificate, ...(authority.cross ? [authority.cross] : [])];
  if (leaf && stillGood(chain, above, key, machine.names, home.now)) return null;
  const certificate = await issue({
    profile: 'server',
    subject: [{ CN: machine.hostName.slice(0, commonNameLengthMax) }],
    names: machine.names,
    key,
    issuer: authority.issuer,
    now: home.now,
  });
  home.store.write(pair.certificate, [certificate, ...above].map(each => each.toString()).join(''));
  return null;
}

/** A file that is not a certificate holds nothing worth keeping: it counts as empty and is made anew. */
function chainIn(text: string): X509Certificate[] {
  try {
    return certificatesOf(text);
  } catch {
    return [];
  }
}

/** `above`: what a server has to send after its own certificate. */
function stillGood(
  [leaf, ...sent]: X509Certificate[],
  above: readonly X509Certificate[],
  key: KeyObject,
  wanted: readonly SubjectAltName[],
  now: number,
): boolean {
  const fingerprints = (list: readonly X509Certificate[]) => list.map(each => each.fingerprint256).join(' ');
  if (!leaf || !above[0] || fingerprints(sent) !== fingerprints(above)) return false;
  if (!leaf.checkPrivateKey(key) || !signedBy(leaf, above[0].publicKey)) return false;
  if (leaf.validToDate.getTime() - now < renewBeforeMs) return false;
  // Names that the machine has lost do no harm; a laptop between two networks should not renew for that.
  const { names } = factsOf(leaf);
  return wanted.every(name => names.some(each => each.kind === name.kind && each.value === name.value));
}

function foreignCertificate(pair: ServerPair, leaf: X509Certificate, now: number): Finding | null {
  const ends = leaf.validToDate.getTime();
  if (ends - now > renewBeforeMs) return null;
  return {
    code: 'pki.foreign-certificate-ends',
    severity: 'warning',
    where: pair.certificate,
    saw: `it ${ends < now ? 'expired' : 'ends'} on ${timeText(ends)} and was not issued by the CA of this home`,
    why: 'Only certificates of its own CA are renewed by the broker; clients refuse an expired one.',
    remedy: [
      'Renew it where it came from, or let the broker make its own again:',
      `rm ${pair.certificate} ${pair.key}, then start the broker.`,
    ],
  };
}
