/**
 * A certificate request (PKCS #10): who made a key asks for a certificate. It proves that it has the key by signing
 * the request, and says what it would like to be. What it may be, a profile says.
 */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { library } from './issue.ts';
import { purposes, type SubjectAltName } from './inspect.ts';
import { PkiError } from './pki-error.ts';
import { profiles, type ProfileName } from './profiles.ts';

export interface SigningRequest {
  key: KeyObject;
  commonName: string | null;
  names: SubjectAltName[];
}

/** Requests of ours are under 1 kB; nothing honest is larger than this. */
const requestBytesMax = 65_536;

/** `file` is named where something is wrong. PEM or DER. */
export async function readRequest(bytes: Buffer, file: string, profile: ProfileName): Promise<SigningRequest> {
  const x509 = await library();
  const request = await parsed(bytes, file);
  if (!(await request.verify().catch(() => false))) throw refused(file, 'its signature does not fit its key');
  const key = createPublicKey({ key: Buffer.from(request.publicKey.rawData), format: 'der', type: 'spki' });
  checkKey(key, file);
  const { extensions } = request;
  const asked = extensions.find(each => each instanceof x509.ExtendedKeyUsageExtension)?.usages.map(String) ?? [];
  const basic = extensions.find(each => each instanceof x509.BasicConstraintsExtension);
  checkWishes(asked, basic?.ca === true, profile, file);
  const [commonName = null] = request.subjectName.getField('CN');
  const names = extensions.find(each => each instanceof x509.SubjectAlternativeNameExtension)?.names.toJSON() ?? [];
  return { key, commonName, names: names.flatMap(wantedName) };
}

async function parsed(bytes: Buffer, file: string) {
  const x509 = await library();
  const pem = bytes.includes('-----BEGIN') ? bytes.toString('latin1') : null;
  try {
    if (bytes.length > requestBytesMax) throw new Error('too large');
    return new x509.Pkcs10CertificateRequest(pem ?? Uint8Array.from(bytes));
  } catch {
    throw refused(file, 'there is no certificate request in it that can be read');
  }
}

function wantedName({ type, value }: { type: string; value: string }): SubjectAltName[] {
  return type === 'dns' || type === 'ip' ? [{ kind: type, value }] : [];
}

function checkKey(key: KeyObject, file: string): void {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  const good =
    (type === 'rsa' && (details?.modulusLength ?? 0) >= 2048) ||
    (type === 'ec' && ['prime256v1', 'secp384r1', 'secp521r1'].includes(details?.namedCurve ?? '')) ||
    type === 'ed25519';
  if (!good)
    throw refused(
      file,
      `its key (${type ?? 'unknown'} ${details?.modulusLength ?? details?.namedCurve ?? ''}) is too weak, or of a kind that clients do not know`,
    );
}

/** A request that asks for more than its profile gives is refused: what it would get is not what it is made for. */
function checkWishes(asked: readonly string[], asksForCa: boolean, profile: ProfileName, file: string): void {
  if (asksForCa) throw refused(file, 'it asks to become a CA');
  const given = profiles[profile].extendedKeyUsage;
  const more = asked.filter(each => !given.includes(each)).map(each => purposes[each] ?? each);
  if (more.length > 0)
    throw refused(file, `it asks for ${more.join(', ')}, which the profile "${profile}" does not give`);
}

function refused(file: string, saw: string): PkiError {
  return new PkiError({
    code: 'pki.request-refused',
    where: file,
    saw,
    why: 'A certificate is only issued for a request that holds, and only for what its profile is for.',
    remedy: [
      'openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=NAME -keyout NAME.key -out NAME.csr',
    ],
  });
}
