/** What every driver needs to open a connection. */
import { readFileSync } from 'node:fs';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';
import type { UserBackendSettings } from './settings.ts';

export interface Connection {
  settings: UserBackendSettings;
  /** From the password file; null for none. */
  password: string | null;
  timeoutMs: number;
}

export interface TlsFiles {
  ca?: string;
  cert?: string;
  key?: string;
  rejectUnauthorized: true;
}

/** Null without TLS. The server's certificate is always checked: by `cafile`, or by the authorities that Node knows. */
export function tlsOf({ settings: { tls, cafile, certfile, keyfile } }: Connection): TlsFiles | null {
  if (!tls) return null;
  return {
    rejectUnauthorized: true,
    ...(cafile === null ? {} : { ca: readFileSync(cafile, 'utf8') }),
    ...(certfile === null ? {} : { cert: readFileSync(certfile, 'utf8') }),
    ...(keyfile === null ? {} : { key: readFileSync(keyfile, 'utf8') }),
  };
}

/** For drivers that forget the name where it is an address, or altogether. */
export function nameCheck(host: string): (name: string, certificate: PeerCertificate) => Error | undefined {
  return (_name, certificate) => checkServerIdentity(host, certificate);
}
