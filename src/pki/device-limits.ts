/**
 * Would a device accept this server's certificate? A device is a set of limits; each check holds the chain that it
 * would build against one of them. What a device does not look at is not held against the server.
 */
import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import type { Finding } from '../base/mod.ts';
import { chainOf } from './chain.ts';
import { factsOf, purposes, type CertificateFacts } from './inspect.ts';
import { altNameText } from './openssl-commands.ts';
import { daysText, timeText } from './time-text.ts';

export interface CertificateLimits {
  /** Kinds of key that the server's own certificate may have, as Node names them. */
  leafKeys: readonly string[];
  /** Bits; null for no bound. */
  rsaMin: number;
  rsaMax: number | null;
  /** By OpenSSL's name. */
  curves: readonly string[];
  /** SHA-1 in a signature of the chain is let pass. */
  sha1: boolean;
  /** False: it knows the server by a fingerprint, and looks at nothing above it. */
  checksChain: boolean;
  checksDates: boolean;
  /**
   * `both` names and addresses; `names` knows no addresses in certificates, so none fits; `names-only` compares names
   * and lets an address pass unchecked; `none` compares nothing.
   */
  checksName: 'both' | 'names' | 'names-only' | 'none';
  /** It takes the common name where there is no alternative name. */
  commonName: boolean;
  needsServerAuth: boolean;
  lifetimeDaysMax: number | null;
  /** Longest way from the server's certificate to the root, both counted. */
  chainMax: number;
}

export interface ServerView {
  host: string;
  /** As sent, the server's own first. */
  chain: readonly X509Certificate[];
  trusted: readonly X509Certificate[];
  limits: CertificateLimits;
  /** Unix time in milliseconds. */
  now: number;
}

interface Question extends ServerView {
  leaf: CertificateFacts;
  /** What the device verifies, the server's own first. */
  path: CertificateFacts[];
  isTrusted: boolean;
}

type Objection = Pick<Finding, 'code' | 'saw' | 'remedy'> | null;

const checks: readonly ((question: Question) => Objection)[] = [
  keyKind,
  keySize,
  curve,
  signature,
  known,
  chainLength,
  dates,
  name,
  purpose,
  lifetime,
];

/** What the device refuses, with its reason; empty when it accepts. */
export function objectionsTo(view: ServerView): { code: string; saw: string; remedy: string[] }[] {
  const [certificate, ...sent] = view.chain;
  if (!certificate) return [];
  const { path, trusted } = chainOf(certificate, sent, view.trusted, view.now);
  const verified = view.limits.checksChain ? path : [certificate];
  const facts = verified.map(factsOf);
  const question = { ...view, leaf: factsOf(certificate), path: facts, isTrusted: trusted };
  return checks.map(check => check(question)).filter(each => each !== null);
}

const kinds: Record<string, string> = { rsa: 'RSA', ec: 'ECDSA', ed25519: 'Ed25519', ed448: 'Ed448' };
const again = 'zancudo ca issue server NAME ADDRESS makes one that fits; a home makes it by itself.';

function keyKind({ leaf, path, limits }: Question): Objection {
  const foreign = [leaf, ...path].find((each, at) => {
    const allowed = at === 0 ? limits.leafKeys : ['rsa', 'ec', ...limits.leafKeys];
    return !allowed.includes(each.key.type);
  });
  if (!foreign) return null;
  const allowed = limits.leafKeys.map(kind => kinds[kind] ?? kind).join(' or ');
  return {
    code: 'probe.key-kind',
    saw: `"${foreign.subject}" has a key of the kind ${kinds[foreign.key.type] ?? foreign.key.type}, and it knows ${allowed}`,
    remedy: [
      limits.leafKeys.includes('ec')
        ? `Use P-256 or RSA-2048. ${again}`
        : 'Give the listener a second chain with RSA-2048: certfile_rsa, keyfile_rsa',
    ],
  };
}

function keySize({ path, limits: { rsaMin, rsaMax } }: Question): Objection {
  const wrong = path.find(({ key }) => key.type === 'rsa' && (key.bits < rsaMin || key.bits > (rsaMax ?? Infinity)));
  if (!wrong) return null;
  const bound = wrong.key.bits < rsaMin ? `at least ${rsaMin}` : `at most ${rsaMax}`;
  return {
    code: 'probe.key-size',
    saw: `"${wrong.subject}" has an RSA key of ${wrong.key.bits} bits, and it takes ${bound}`,
    remedy: [`Use RSA with 2048 bits, or P-256. ${again}`],
  };
}

function curve({ path, limits }: Question): Objection {
  const wrong = path.find(({ key }) => key.curve !== null && !limits.curves.includes(key.curve));
  if (!wrong) return null;
  return {
    code: 'probe.curve',
    saw: `"${wrong.subject}" is on the curve ${wrong.key.curve}, and it knows ${limits.curves.join(', ')}`,
    remedy: [`Use P-256 (prime256v1). ${again}`],
  };
}

/** A root is trusted for being known: nobody verifies its signature. */
function signature({ path, limits }: Question): Objection {
  const weak = limits.sha1 ? /md5/i : /md5|sha-?1(?!\d)/i;
  const wrong = path.find(each => !each.selfSigned && weak.test(each.certificate.signatureAlgorithm ?? ''));
  if (!wrong) return null;
  return {
    code: 'probe.signature',
    saw: `"${wrong.subject}" is signed with ${wrong.certificate.signatureAlgorithm}, which is too weak for it`,
    remedy: ['Issue it again with SHA-256 (openssl x509 -req ... -sha256).'],
  };
}

function known({ leaf, path, isTrusted, limits }: Question): Objection {
  if (!limits.checksChain || isTrusted) return null;
  const top = path.at(-1) ?? leaf;
  if (leaf.sameNames && !leaf.selfSigned) {
    return {
      code: 'probe.same-subject',
      saw: `server and CA are both called "${leaf.subject}", so the certificate seems to have signed itself`,
      remedy: ['Issue the server another certificate, with another name than the CA has.'],
    };
  }
  return {
    code: 'probe.unknown-ca',
    saw: top.selfSigned
      ? `it leads to "${top.subject}", which is not among the CAs trusted here`
      : `"${top.subject}" is issued by "${top.issuer}", which is neither sent nor among the CAs trusted here`,
    remedy: [
      'Name the CA that the device is given with --cafile.',
      'If it is the right one, the server lacks an intermediate CA: cat INTERMEDIATE.crt >> SERVER.crt',
    ],
  };
}

function chainLength({ path, limits }: Question): Objection {
  if (path.length <= limits.chainMax) return null;
  return {
    code: 'probe.chain-length',
    saw: `the chain has ${path.length} certificates, and it takes at most ${limits.chainMax}`,
    remedy: ['Let a CA nearer to the root issue the certificate.'],
  };
}

function dates({ path, limits, now }: Question): Objection {
  const wrong = limits.checksDates ? path.find(each => now < each.notBefore || now > each.notAfter) : undefined;
  if (!wrong) return null;
  const expired = now > wrong.notAfter;
  return {
    code: expired ? 'probe.expired' : 'probe.not-yet-valid',
    saw: expired
      ? `"${wrong.subject}" expired on ${timeText(wrong.notAfter)}, ${daysText(now - wrong.notAfter)} ago`
      : `"${wrong.subject}" is valid from ${timeText(wrong.notBefore)} on`,
    remedy: [expired ? `Renew it. ${again}` : 'Set the clock of the machine that issued it, and issue it again.'],
  };
}

function name({ leaf, host, limits }: Question): Objection {
  if (limits.checksName === 'none' || (limits.checksName === 'names-only' && isIP(host) !== 0)) return null;
  if (isIP(host) !== 0 && limits.checksName === 'names') {
    return {
      code: 'probe.address',
      saw: `it does not look for addresses in a certificate, so ${host} never fits`,
      remedy: ['Give the device a name of the server (its NAME.local, or one of your router), and not its address.'],
    };
  }
  if (isIP(host) !== 0 ? leaf.certificate.checkIP(host) : fitsName(leaf, host, limits.commonName)) return null;
  const names = altNameText(leaf.names);
  return {
    code: 'probe.name',
    saw: `the certificate is not for ${host}, but for ${names === '' ? 'no name at all (it has no subjectAltName)' : names}`,
    remedy: [
      `Issue it again with subjectAltName=${isIP(host) ? 'IP' : 'DNS'}:${host}, all names in one line. ${again}`,
    ],
  };
}

function fitsName({ certificate }: CertificateFacts, host: string, commonName: boolean): boolean {
  return certificate.checkHost(host, { subject: commonName ? 'default' : 'never' }) !== undefined;
}

function purpose({ leaf, limits }: Question): Objection {
  const names = leaf.extendedKeyUsage?.map(oid => purposes[oid] ?? oid) ?? null;
  if (!limits.checksChain || names?.includes('serverAuth') || names?.includes('anyExtendedKeyUsage')) return null;
  if (names === null && !limits.needsServerAuth) return null;
  return {
    code: 'probe.purpose',
    saw: names === null ? 'it has no extendedKeyUsage' : `it is made for ${names.join(', ')}, not for a server`,
    remedy: [`Issue it again with extendedKeyUsage=serverAuth. ${again}`],
  };
}

function lifetime({ leaf, limits: { lifetimeDaysMax } }: Question): Objection {
  const days = Math.round((leaf.notAfter - leaf.notBefore) / 86_400_000);
  if (lifetimeDaysMax === null || days <= lifetimeDaysMax) return null;
  return {
    code: 'probe.lifetime',
    saw: `the certificate is valid for ${days} days, and it takes at most ${lifetimeDaysMax}`,
    remedy: [`Issue it again for 397 days. ${again}`],
  };
}
