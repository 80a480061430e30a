/**
 * How the broker is recognised before a token is shown to it. Nothing secret leaves before this is settled.
 *
 *   --cafile FILE            the CA is known already
 *   --ca-fingerprint HEX     it is fetched from whoever answers, and taken if SHA-256 of it is what was told
 *   --tls-use-os-certs       a public CA
 */
import { readFileSync } from 'node:fs';
import type { X509Certificate } from 'node:crypto';
import { connect } from 'node:tls';
import { tlsFromFiles, tlsSettings, type TlsOptions } from '../../client/mod.ts';
import type { Call } from '../ca/subcommand.ts';
import { UsageError } from '../ca/subcommand.ts';
import { EnrolFault } from './fault.ts';
import { authoritiesOf } from './over-est.ts';

const handshakeMs = 10_000;

export interface Trust {
  tls: Pick<TlsOptions, 'ca'>;
  /** PEM of what was trusted; null for the CAs of the operating system. */
  ca: string | null;
}

export async function trustFor(call: Call, host: string, port: number): Promise<Trust> {
  const file = call.value('--cafile');
  const fingerprint = call.value('--ca-fingerprint');
  if (file !== null) return { tls: await tlsFromFiles({ cafile: file }), ca: readFileSync(file, 'utf8') };
  if (call.has('--tls-use-os-certs')) return { tls: {}, ca: null };
  if (fingerprint === null) {
    throw new UsageError(
      'say by what the broker is recognised: --ca-fingerprint as the invitation shows it, --cafile FILE, or --tls-use-os-certs.',
    );
  }
  const root = await authorityOf(host, port, plainFingerprint(fingerprint));
  return { tls: { ca: [root.toString()] }, ca: root.toString() };
}

function plainFingerprint(text: string): string {
  const plain = text.replace(/^sha-?256[:=]?/i, '').replace(/[\s:-]/g, '').toUpperCase(); // prettier-ignore
  if (/^[0-9A-F]{64}$/.test(plain)) return plain;
  throw new UsageError('--ca-fingerprint is the SHA-256 of the CA: 64 hexadecimal digits, with or without colons.');
}

async function authorityOf(host: string, port: number, fingerprint: string): Promise<X509Certificate> {
  const shown = await chainOf(host, port);
  const isMeant = (each: X509Certificate): boolean => each.fingerprint256.replaceAll(':', '') === fingerprint;
  const found = shown.find(isMeant) ?? (await toldBy(host, port)).find(isMeant);
  if (found === undefined) throw anotherAuthority(host, port, shown);
  if (!found.ca || !found.checkIssued(found)) {
    throw new EnrolFault(
      'That fingerprint is of a certificate that is no root CA.',
      'zancudo ca show, on the broker, shows the right one.',
    );
  }
  return found;
}

async function toldBy(host: string, port: number): Promise<X509Certificate[]> {
  try {
    return await authoritiesOf({ host, port, tls: { insecure: true } });
  } catch {
    return [];
  }
}

/** What the server sends of itself. Nobody is trusted here; what it says is held against the fingerprint. */
async function chainOf(host: string, port: number): Promise<X509Certificate[]> {
  const settings = await tlsSettings({ insecure: true });
  return new Promise((resolve, reject) => {
    const socket = connect({ ...settings, host, port }, () => {
      const chain: X509Certificate[] = [];
      let next = socket.getPeerX509Certificate();
      while (next !== undefined && !chain.some(each => each.fingerprint256 === next?.fingerprint256)) {
        chain.push(next);
        next = next.issuerCertificate;
      }
      socket.destroy();
      resolve(chain);
    });
    const fail = (why: string): void => {
      socket.destroy();
      reject(new EnrolFault(`${host}:${port} was not reached by TLS: ${why}.`, 'Does the broker run, and is this its TLS port?')); // prettier-ignore
    };
    socket.setTimeout(handshakeMs, () => fail(`no answer within ${handshakeMs / 1000} s`));
    socket.on('error', (error: Error) => fail(error.message));
  });
}

function anotherAuthority(host: string, port: number, shown: readonly X509Certificate[]): EnrolFault {
  const issuer = shown.at(-1)?.issuer.replaceAll('\n', ', ') ?? 'nobody';
  return new EnrolFault(
    `${host}:${port} has another CA than the one with this fingerprint: its certificate is from "${issuer}".`,
    'Nothing was sent to it. Either it is another broker, or somebody stands between, or the CA was changed:',
    'zancudo ca show, on the broker, shows the fingerprint that holds.',
  );
}
