/** Does the broker let somebody in with this certificate? And how long is it good for? */
import { X509Certificate } from 'node:crypto';
import { connect, type Profile, tlsFromFiles } from '../../client/mod.ts';
import { timeText } from '../../pki/mod.ts';

const dayMs = 86_400_000;

/** Null when it works. */
export async function tryOut({ host, port, cafile, certfile, keyfile }: Profile): Promise<Error | null> {
  const files = {
    ...(cafile === undefined ? {} : { cafile }),
    ...(certfile === undefined ? {} : { certfile }),
    ...(keyfile === undefined ? {} : { keyfile }),
  };
  try {
    const client = await connect({ host, port, tls: await tlsFromFiles(files), reconnect: false });
    await client.disconnect();
    return null;
  } catch (error) {
    return error as Error;
  }
}

export function whyNot(error: Error): string {
  const remedy = (error as { remedy?: readonly string[] }).remedy ?? [];
  return [error.message, ...remedy].join('\n  ');
}

export function endOf(certificate: string): string {
  return timeText(endMs(certificate));
}

export function daysLeft(certificate: string, now: number): number {
  return Math.floor((endMs(certificate) - now) / dayMs);
}

const endMs = (certificate: string): number => Date.parse(new X509Certificate(certificate).validTo);
