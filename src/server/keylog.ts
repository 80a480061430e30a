/** `--tls-keylog FILE`: TLS secrets for Wireshark, in a file that nobody else can read. */
import fs from 'node:fs';
import type { BrokerLog } from '../observability/mod.ts';
import { exitCodes, type ProcessFailure } from './process/mod.ts';

export interface Keylog {
  ok: true;
  write: (line: Buffer) => void;
}

export function openKeylog(file: string, log: BrokerLog): Keylog | ProcessFailure {
  try {
    const flags = fs.constants.O_WRONLY | fs.constants.O_APPEND | fs.constants.O_CREAT | fs.constants.O_NOFOLLOW;
    const descriptor = fs.openSync(file, flags, 0o600);
    if ((fs.fstatSync(descriptor).mode & 0o077) !== 0) return refused(file, `others may read it; chmod 0600 ${file}`);
    log.write('notice', `TLS key logging to '${file}' enabled for all listeners.`, 'broker.keylog');
    log.write('notice', 'TLS key logging is for DEBUGGING only.', 'broker.keylog');
    return { ok: true, write: line => void fs.writeSync(descriptor, line) };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return refused(file, code === 'ELOOP' ? 'it is a symbolic link' : (error as Error).message);
  }
}

function refused(file: string, why: string): ProcessFailure {
  return {
    ok: false,
    lines: [`Error: Unable to open TLS keylog file "${file}": ${why}.`],
    exitCode: exitCodes.failure,
    code: 'broker.keylog',
  };
}
