/** What the checks of a server's certificate look at, and the commands that would make the certificate anew. */
import type { KeyObject } from 'node:crypto';
import type { Finding } from '../base/mod.ts';
import type { CertificateFacts, SubjectAltName } from './inspect.ts';
import { reissueCommands } from './openssl-commands.ts';
import type { ExtensionFile } from './surroundings.ts';

export interface ServerFiles {
  certFile: string;
  keyFile: string;
  caFile: string | null;
  /** The private key of the CA, when it was found beside the certificates. */
  caKey: string | null;
  leaf: CertificateFacts;
  /** What follows the leaf in its file. */
  sent: CertificateFacts[];
  /** Null when the key could not be read. */
  key: KeyObject | null;
  cas: CertificateFacts[];
  extensionFiles: ExtensionFile[];
  /** The alternative names the certificate has or was meant to have. */
  names: readonly SubjectAltName[];
  now: number;
  /** OpenSSL's word for what it refused, empty when it refused nothing: `ERR_SSL_EE_KEY_TOO_SMALL`. */
  errorCode: string;
}

export type Check = (files: ServerFiles) => Finding | null;

/** `commonName` replaces the old one. */
export function reissue(files: ServerFiles, newKey: boolean, commonName?: string): string[] {
  const { subjectParts } = files.leaf;
  const others = subjectParts.filter(({ type }) => type !== 'CN');
  const subject = commonName === undefined ? subjectParts : [...others, { type: 'CN', value: commonName }];
  return reissueCommands({ ...files, subject, newKey });
}
