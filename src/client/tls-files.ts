/** TLS settings as files name them, read: what is not there or not what it should be is told with its path. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ClientError } from './client-error.ts';
import type { TlsOptions } from './options.ts';

export interface TlsFiles {
  cafile?: string;
  /** Every certificate in this folder. */
  capath?: string;
  certfile?: string;
  keyfile?: string;
}

export function readTlsFiles(files: TlsFiles): Pick<TlsOptions, 'ca' | 'cert' | 'key'> {
  const ca = [...(files.cafile === undefined ? [] : [readCa(files.cafile)]), ...readFolder(files.capath)];
  return {
    ...(files.cafile === undefined && files.capath === undefined ? {} : { ca }),
    ...(files.certfile === undefined
      ? {}
      : { cert: readPem(files.certfile, 'certificate', /BEGIN [A-Z ]*CERTIFICATE/) }),
    ...(files.keyfile === undefined ? {} : { key: readPem(files.keyfile, 'private key', /BEGIN [A-Z ]*PRIVATE KEY/) }),
  };
}

const certificateMark = /BEGIN (TRUSTED |X509 )?CERTIFICATE-/;

function readCa(path: string): string {
  return readPem(path, 'CA certificate', certificateMark);
}

/** Node would take garbage for a CA without a word, and trust nobody. */
function readPem(path: string, what: string, mark: RegExp): string {
  const text = readText(path, what);
  if (mark.test(text)) return text;
  throw new ClientError({
    code: 'tls.file-content',
    kind: 'invalid',
    message: `There is no ${what} in ${path}.`,
    remedy: [`It must be PEM: a text with a line '-----BEGIN ...'.`],
  });
}

function readText(path: string, what: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw notRead(path, what, error);
  }
}

function readFolder(path: string | undefined): string[] {
  if (path === undefined) return [];
  try {
    const files = readdirSync(path)
      .map(name => join(path, name))
      .filter(file => statSync(file, { throwIfNoEntry: false })?.isFile() === true);
    return files.map(file => readFileSync(file, 'utf8')).filter(text => certificateMark.test(text));
  } catch (error) {
    throw notRead(path, 'folder of CA certificates', error);
  }
}

const causes: Record<string, string> = {
  ENOENT: 'it does not exist',
  EACCES: 'this user may not read it',
  EISDIR: 'it is a folder',
  ENOTDIR: 'it is not a folder',
};

function notRead(path: string, what: string, error: unknown): ClientError {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return new ClientError({
    code: 'tls.file',
    kind: 'invalid',
    message: `The ${what} ${path} cannot be read: ${causes[code] ?? message}.`,
    systemCode: code,
  });
}
