/**
 * psk_file: `identity:hexkey` lines in, keys out. More forgiving than a password file where Mosquitto is: a second line
 * for an identity and a line without one are left out with a notice; a key that is not hexadecimal refuses the file.
 */
import { type FileLine, type Loaded, readSecretFile, refuse, trimBlanks } from './secret-file.ts';

export type PskEntries = ReadonlyMap<string, Buffer>;

/** OpenSSL's PSK_MAX_PSK_LEN and PSK_MAX_IDENTITY_LEN. */
const KEY_BYTES_MAX = 512;
const IDENTITY_BYTES_MAX = 256;

export function loadPskFile(path: string): Loaded<PskEntries> {
  const end = `Error opening psk file "${path}".`;
  const file = readSecretFile(path);
  if (!file.ok) return refuse(13, `Error: Unable to open pwfile "${path}".`, end, ...file.because);
  const entries = new Map<string, Buffer>();
  const warnings = [...file.warnings];
  for (const line of file.lines) {
    const problem = readLine(path, line, entries, warnings);
    if (problem !== null) return refuse(3, problem.says, end, `  Line ${line.number}: ${problem.because}.`);
  }
  return { ok: true, value: entries, warnings };
}

interface Problem {
  says: string;
  because: string;
}

function readLine(path: string, line: FileLine, entries: Map<string, Buffer>, warnings: string[]): Problem | null {
  if (line.text.startsWith('#') || !line.text.includes(':')) return null;
  const [left = '', right = ''] = line.text.split(':', 2);
  const identity = trimBlanks(left);
  const notice = identityNotice(path, identity, entries);
  if (notice !== null) {
    warnings.push(notice, `  Line ${line.number} is left out.`);
    return null;
  }
  const hex = trimBlanks(right);
  const problem = keyProblem(identity, hex);
  if (problem === null) entries.set(identity, Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex'));
  return problem;
}

/** The texts say "user" and "password file" because Mosquitto's do. */
function identityNotice(path: string, identity: string, entries: PskEntries): string | null {
  if (identity === '') return `Warning: Empty username in password file '${path}', ignoring.`;
  if (Buffer.byteLength(identity) > IDENTITY_BYTES_MAX) {
    return `Warning: Invalid line in password file '${path}', username too long.`;
  }
  if (entries.has(identity)) return `Error: Duplicate user '${identity}' in password file '${path}', ignoring.`;
  return null;
}

function keyProblem(identity: string, hex: string): Problem | null {
  if (hex === '')
    return {
      says: `Error: Empty psk for identity "${identity}".`,
      because: 'a key of hexadecimal digits is missing after the ":"',
    };
  if (!/^[0-9a-fA-F]+$/.test(hex)) {
    return {
      says: `Error: psk for identity "${identity}" contains non-hexadecimal characters.`,
      because: 'a key is written with 0-9 and a-f only, without 0x and without blanks',
    };
  }
  if (hex.length > 2 * KEY_BYTES_MAX) {
    return {
      says: `Error: psk for identity "${identity}" is too long.`,
      because: `TLS takes at most ${KEY_BYTES_MAX} bytes (${2 * KEY_BYTES_MAX} digits)`,
    };
  }
  return null;
}
