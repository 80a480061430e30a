/**
 * The fingerprint that Tasmota compares: of the broker's public key, not of its certificate, so it outlives renewals.
 * SHA-1 over length-prefixed parts: RSA `ssh-rsa`, exponent, modulus; P-256 (ESP32 only) `ecdsa-sha2-nistp256`, point.
 */
import { createHash, type KeyObject } from 'node:crypto';

export function tasmotaFingerprint(key: KeyObject): string {
  const { n = '', e = '', x = '', y = '' } = key.export({ format: 'jwk' });
  const bytes = (part: string): Buffer => Buffer.from(part, 'base64url');
  const parts =
    key.asymmetricKeyType === 'rsa'
      ? [Buffer.from('ssh-rsa'), bytes(e), bytes(n)]
      : [Buffer.from('ecdsa-sha2-nistp256'), Buffer.concat([Buffer.from([4]), bytes(x), bytes(y)])];
  const hash = createHash('sha1');
  for (const part of parts) {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(part.length);
    hash.update(length).update(part);
  }
  return (hash.digest('hex').toUpperCase().match(/../g) ?? []).join(' ');
}
