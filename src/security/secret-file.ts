/**
 * Reads password, ACL and PSK files, all three by the same rules as Mosquitto 2.1:
 *
 *   path -> not a symbolic link? -> a regular file? -> lines, and warnings about who else can read or change it
 *
 * Nothing here knows what the lines mean.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync, realpathSync, type Stats } from 'node:fs';
import { isUtf8 } from 'node:buffer';
import { userInfo } from 'node:os';

/** Well beyond a million users; a larger file is a mistake (a log, a disk image) and would only cost memory. */
export const SECRET_FILE_BYTES_MAX = 268_435_456;

const ALLOW_SYMLINKS = 'MOSQUITTO_UNSAFE_ALLOW_SYMLINKS';

export interface FileLine {
  /** Counted from 1. */
  number: number;
  text: string;
  /** False where the bytes were not UTF-8 and `text` is only good for showing. */
  utf8: boolean;
}

/** Why a file is refused: Mosquitto's own lines first, then what it means and what to do. */
export interface FileFailure {
  lines: string[];
  /** What Mosquitto 2.1 ends with: 13 for a file that cannot be opened, 3 for one that cannot be understood. */
  exitCode: 3 | 13;
}

export type Loaded<T> = { ok: true; value: T; warnings: string[] } | { ok: false; failure: FileFailure };

export function refuse(exitCode: 3 | 13, ...lines: string[]): { ok: false; failure: FileFailure } {
  return { ok: false, failure: { lines, exitCode } };
}

export type SecretFile = { ok: true; lines: FileLine[]; warnings: string[] } | { ok: false; because: string[] };

/** Only looks; `because` explains and names the remedy, the caller puts Mosquitto's line in front. */
export function readSecretFile(path: string): SecretFile {
  let file: number;
  try {
    // Without O_NONBLOCK a named pipe in the place of the file would hold the whole broker.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | noFollow());
  } catch (error) {
    return { ok: false, because: whyNotOpened(path, error as NodeJS.ErrnoException) };
  }
  try {
    const stats = fstatSync(file);
    if (!stats.isFile()) return { ok: false, because: [`  ${path} is not a file.`] };
    if (stats.size > SECRET_FILE_BYTES_MAX) return { ok: false, because: [tooLarge(stats.size)] };
    const { lines, warnings } = linesOf(path, readFileSync(file));
    return { ok: true, lines, warnings: [...ownershipWarnings(path, stats), ...warnings] };
  } catch (error) {
    return { ok: false, because: [`  Reading it failed: ${(error as Error).message}`] };
  } finally {
    closeSync(file);
  }
}

/** Mosquitto asks whether the variable is there, not what it says. */
function noFollow(): number {
  return process.env[ALLOW_SYMLINKS] === undefined ? constants.O_NOFOLLOW : 0;
}

function tooLarge(bytes: number): string {
  return `  It is ${bytes} bytes long; at most ${SECRET_FILE_BYTES_MAX} are read. Is this the right file?`;
}

function whyNotOpened(path: string, error: NodeJS.ErrnoException): string[] {
  const user = userName();
  switch (error.code) {
    case 'ENOENT':
      return ['  There is no such file. Relative paths start at the directory the broker was started in.'];
    case 'EACCES':
      return [
        `  The broker runs as user ${user} and may not read it, or may not enter a folder on the way to it.`,
        `  To fix this: chown ${user} ${path} && chmod 0600 ${path}`,
      ];
    case 'ELOOP':
      return [
        `  It is a symbolic link, which anyone who can write to its folder could turn to another file.`,
        `  Name the file itself${realPathOf(path)}, or set ${ALLOW_SYMLINKS} where links are unavoidable (Kubernetes).`,
      ];
    default:
      return [`  The system says: ${error.message}`];
  }
}

function realPathOf(path: string): string {
  try {
    return ` (${realpathSync(path)})`;
  } catch {
    return '';
  }
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? 'unknown');
  }
}

/** The first two lines of each warning are Mosquitto's, word for word. */
function ownershipWarnings(path: string, stats: Stats): string[] {
  const warnings: string[] = [];
  const future = 'Future versions will refuse to load this file.';
  if ((stats.mode & 0o007) !== 0) {
    warnings.push(
      `Warning: File ${path} has world readable permissions. ${future}`,
      `To fix this, use \`chmod 0700 ${path}\`.`,
      `  Every user of this machine can open it. Nothing executes it, so this is enough: chmod 0600 ${path}`,
    );
  }
  if (process.getuid !== undefined && stats.uid !== process.getuid()) {
    const user = userName();
    warnings.push(
      `Warning: File ${path} owner is not ${user}. ${future}`,
      `To fix this, use \`chown ${user} ${path}\`.`,
      `  It belongs to user ${stats.uid}, who can change what this broker obeys. It is loaded all the same.`,
    );
  }
  return warnings;
}

function linesOf(path: string, bytes: Buffer): { lines: FileLine[]; warnings: string[] } {
  const marked = bytes.length >= 3 && bytes.readUIntBE(0, 3) === 0xefbbbf;
  const body = marked ? bytes.subarray(3) : bytes;
  const warnings = marked ? [`Warning: File ${path} starts with a byte order mark, which is left out.`] : [];
  const allUtf8 = isUtf8(body);
  const lines: FileLine[] = [];
  for (let start = 0; start < body.length;) {
    const newline = body.indexOf(0x0a, start);
    const end = newline === -1 ? body.length : newline;
    const line = body.subarray(start, end);
    lines.push({ number: lines.length + 1, text: line.toString('utf8'), utf8: allUtf8 || isUtf8(line) });
    start = end + 1;
  }
  return { lines, warnings };
}

/** Trims what C's isspace() calls blank; String.trim would also take non-breaking spaces. */
export function trimBlanks(text: string): string {
  return trimBlanksAtEnd(text.replace(/^[ \t\n\v\f\r]+/, ''));
}

export function trimBlanksAtEnd(text: string): string {
  let end = text.length;
  while (end > 0 && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(0, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d);
}
