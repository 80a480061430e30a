/** The file that says which process the broker is: the number without a newline, as Mosquitto writes it. */
import { readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { exitCodes } from './exit-codes.ts';
import type { ProcessFailure } from './failure.ts';

export interface PidFile {
  ok: true;
  /** Leaves the file alone when it names another process by now. */
  remove(): void;
}

export function writePidFile(path: string): PidFile | ProcessFailure {
  try {
    writeFileSync(path, String(process.pid), { mode: 0o644 });
  } catch (error) {
    return { ok: false, lines: unwritable(path, error as Error), exitCode: exitCodes.pidFile, code: 'broker.pid-file' };
  }
  return { ok: true, remove: () => removeIfOurs(path) };
}

function unwritable(path: string, error: Error): string[] {
  return [
    'Error: Unable to write pid file.',
    `  ${error.message}. The file is written after root's privileges are dropped.`,
    `  Give its folder to the user that the broker runs as, or change 'pid_file ${path}'.`,
  ];
}

function removeIfOurs(path: string): void {
  try {
    if (readFileSync(path, 'utf8') === String(process.pid)) unlinkSync(path);
  } catch {
    // Removed by somebody else, or its folder is no longer ours: nothing that the end of a process could repair.
  }
}
