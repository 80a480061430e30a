/** Writes a certificate request (PKCS #10, RFC 2986): a name, a public key, and the proof of having the private one. */
import { createPublicKey, sign, type KeyObject } from 'node:crypto';
import { bits, contextBytes, element, integer, oid, sequence, set } from './der-write.ts';
import { signatureAlgorithm } from './write-crl.ts';

const commonName = '2.5.4.3';
const utf8String = 0x0c;

/** In DER. `name`: who the key's owner would like to be. */
export function writeRequest(name: string, key: KeyObject): Buffer {
  const subject = sequence(set(sequence(oid(commonName), element(utf8String, Buffer.from(name)))));
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' });
  // [0] attributes is not optional, empty or not.
  const noAttributes = contextBytes(0x20, Buffer.alloc(0));
  const info = sequence(integer(0), subject, publicKey, noAttributes);
  const algorithm = signatureAlgorithm(key);
  return sequence(info, algorithm.der, bits(sign(algorithm.hash, info, key)));
}
