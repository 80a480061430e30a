/** The certificates in a PKCS #7 answer of the kind that EST gives (RFC 7030, 4.1.3), as other people send it. */
import { X509Certificate } from 'node:crypto';
import { library } from './issue.ts';
import { PkiError } from './pki-error.ts';

/** `where` is named when it cannot be read. */
export async function readCertsOnly(der: Uint8Array, where: string): Promise<X509Certificate[]> {
  const x509 = await library();
  try {
    return [...new x509.X509Certificates(Uint8Array.from(der))].map(
      each => new X509Certificate(Buffer.from(each.rawData)),
    );
  } catch {
    throw new PkiError({
      code: 'pki.no-certificates',
      where,
      saw: 'the answer holds no certificates that can be read',
      why: 'EST answers with a PKCS #7 message that has certificates in it and nothing else.',
      remedy: ['Is that an EST server? --via mqtt asks by MQTT.'],
    });
  }
}
