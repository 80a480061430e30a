/**
 * Writes a PKCS #12 file (RFC 7292): key, certificate and CAs in one, protected by a password.
 *
 *   PFX { authSafe { encrypted { certificates }, { key in a shrouded bag } }, MAC }
 *
 * The protection is that of OpenSSL 3 and of Java since 8u301: PBES2 with AES-256 and PBKDF2, a MAC with SHA-256.
 */
import {
  createCipheriv,
  createHash,
  createHmac,
  hash,
  pbkdf2Sync,
  randomBytes,
  type KeyObject,
  type X509Certificate,
} from 'node:crypto';
import { bmpString, context, contextBytes, integer, nothing, octets, oid, sequence, set } from './der-write.ts';

export interface Pkcs12Content {
  key: KeyObject;
  /** The key's own first, then the CAs. */
  certificates: readonly X509Certificate[];
  /** What programs show for the entry. */
  friendlyName: string;
  password: string;
}

/** As OpenSSL writes it. Passwords of kits are random, 96 bits: no number of rounds makes them harder to guess. */
const iterations = 2048;
/** Each is a call into OpenSSL, 2 microseconds; with 2,048 of them a thousand kits took 4 seconds longer. */
const macIterations = 100;

const data = '1.2.840.113549.1.7.1';
const encryptedData = '1.2.840.113549.1.7.6';
const certificateBag = '1.2.840.113549.1.12.10.1.3';
const shroudedKeyBag = '1.2.840.113549.1.12.10.1.2';
const x509Certificate = '1.2.840.113549.1.9.22.1';
const friendlyName = '1.2.840.113549.1.9.20';
const localKeyId = '1.2.840.113549.1.9.21';
const pbes2 = '1.2.840.113549.1.5.13';
const pbkdf2 = '1.2.840.113549.1.5.12';
const hmacWithSha256 = '1.2.840.113549.2.9';
const aes256Cbc = '2.16.840.1.101.3.4.1.42';
const sha256 = '2.16.840.1.101.3.4.2.1';

export function writePkcs12({ key, certificates, friendlyName: name, password }: Pkcs12Content): Buffer {
  const [leaf] = certificates;
  if (leaf === undefined) throw new Error('a PKCS #12 file has a certificate');
  const id = createHash('sha1').update(leaf.raw).digest();
  const bags = certificates.map(each => certificateBagOf(each, each === leaf ? attributes(name, id) : null));
  const safe = sequence(
    encryptedContent(sequence(...bags), password),
    plainContent(sequence(keyBagOf(key, password, attributes(name, id)))),
  );
  return sequence(integer(3), sequence(oid(data), context(0, octets(safe))), mac(safe, password));
}

function attributes(name: string, id: Buffer): Buffer {
  return set(sequence(oid(friendlyName), set(bmpString(name))), sequence(oid(localKeyId), set(octets(id))));
}

function certificateBagOf(certificate: X509Certificate, marks: Buffer | null): Buffer {
  const value = sequence(oid(x509Certificate), context(0, octets(certificate.raw)));
  return sequence(oid(certificateBag), context(0, value), ...(marks ? [marks] : []));
}

function keyBagOf(key: KeyObject, password: string, marks: Buffer): Buffer {
  const { algorithm, encrypted } = encrypt(key.export({ type: 'pkcs8', format: 'der' }), password);
  return sequence(oid(shroudedKeyBag), context(0, sequence(algorithm, octets(encrypted))), marks);
}

const plainContent = (content: Buffer): Buffer => sequence(oid(data), context(0, octets(content)));

function encryptedContent(content: Buffer, password: string): Buffer {
  const { algorithm, encrypted } = encrypt(content, password);
  const info = sequence(oid(data), algorithm, contextBytes(0, encrypted));
  return sequence(oid(encryptedData), context(0, sequence(integer(0), info)));
}

/** PBES2 takes the password in UTF-8. */
function encrypt(plain: Buffer, password: string): { algorithm: Buffer; encrypted: Buffer } {
  const [salt, iv] = [randomBytes(16), randomBytes(16)];
  const cipher = createCipheriv('aes-256-cbc', pbkdf2Sync(password, salt, iterations, 32, 'sha256'), iv);
  const derivation = sequence(octets(salt), integer(iterations), sequence(oid(hmacWithSha256), nothing()));
  const parameters = sequence(sequence(oid(pbkdf2), derivation), sequence(oid(aes256Cbc), octets(iv)));
  return {
    algorithm: sequence(oid(pbes2), parameters),
    encrypted: Buffer.concat([cipher.update(plain), cipher.final()]),
  };
}

function mac(safe: Buffer, password: string): Buffer {
  const salt = randomBytes(16);
  const key = macKey(password, salt, macIterations);
  const digest = createHmac('sha256', key).update(safe).digest();
  return sequence(sequence(sequence(oid(sha256), nothing()), octets(digest)), octets(salt), integer(macIterations));
}

const hashBlockBytes = 64;

/** RFC 7292, B.2, with ID 3 (MAC); one round of SHA-256 is as long as the key wanted. */
function macKey(password: string, salt: Buffer, rounds: number): Buffer {
  const wide = Buffer.from(`${password}\0`, 'utf16le').swap16();
  const diversifier = Buffer.alloc(hashBlockBytes, 3);
  let digest = Buffer.concat([diversifier, repeated(salt), repeated(wide)]);
  for (let i = 0; i < rounds; i++) digest = hash('sha256', digest, 'buffer');
  return digest;
}

function repeated(bytes: Buffer): Buffer {
  const length = Math.ceil(bytes.length / hashBlockBytes) * hashBlockBytes;
  return Buffer.alloc(length, bytes);
}
