/**
 * Private keys: made off the main thread, written as unencrypted PKCS #8, which every device's TLS library reads.
 */
import { createPrivateKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';

export type KeyKind = 'ec' | 'rsa' | 'ed25519';

const generate = promisify(generateKeyPair);

/** P-256 and Ed25519 take 0.6 ms, RSA-2048 100 to 380 ms; all leave the event loop free. */
const makers: Record<KeyKind, () => Promise<{ privateKey: KeyObject }>> = {
  ec: () => generate('ec', { namedCurve: 'P-256' }),
  rsa: () => generate('rsa', { modulusLength: 2048 }),
  ed25519: () => generate('ed25519'),
};

export async function makeKey(kind: KeyKind): Promise<KeyObject> {
  return (await makers[kind]()).privateKey;
}

export function keyPem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** Null when the text is not an unencrypted private key. */
export function readKey(pemText: string): KeyObject | null {
  try {
    return createPrivateKey(pemText);
  } catch {
    return null;
  }
}
