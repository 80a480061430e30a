/** The CA that a broker is held against when somebody looks at it from outside. */
import fs from 'node:fs';
import { X509Certificate } from 'node:crypto';
import { getCACertificates } from 'node:tls';
import { authorityFiles, certificatesOf } from '../../pki/mod.ts';

export interface Trusted {
  /** For a sentence: `ca.crt`, `the CAs of this machine`. */
  what: string;
  certificates: X509Certificate[];
  /** The same as PEM; null for those of the machine. */
  pem: string | null;
}

/** The file that was named, else the CA of the home here, else what this machine trusts. */
export function trustedBy(file: string | null, home: string): Trusted {
  const ours = authorityFiles(home).anchor;
  const named = file ?? (fs.existsSync(ours) ? ours : null);
  if (named !== null) {
    const pem = fs.readFileSync(named, 'utf8');
    return { what: named, certificates: certificatesOf(pem), pem };
  }
  const certificates = getCACertificates('system').map(each => new X509Certificate(each));
  return { what: 'the CAs of this machine', certificates, pem: null };
}
