/** What OpenSSL says when a server's files are loaded: the error an explanation starts from, and null when they load. */
import fs from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { TlsFiles } from './explain.ts';

/** `ciphers` can lower the security level; null for OpenSSL's own. */
export function loadErrorOf({ certificates, caFile }: Omit<TlsFiles, 'crlFile'>, ciphers: string | null): unknown {
  const read = (file: string): string => fs.readFileSync(file, 'utf8');
  try {
    if (caFile !== null) read(caFile);
    for (const { certFile, keyFile } of certificates) {
      createSecureContext({ cert: read(certFile), key: read(keyFile), ...(ciphers === null ? {} : { ciphers }) });
    }
    return null;
  } catch (error) {
    return error;
  }
}
