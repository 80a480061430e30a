/**
 * Who may read a file, and who may replace it: its mode and owner, and those of every folder on the way to it.
 *
 *   /  etc  mosquitto  certs  server.key      the broker's user must pass every folder and read the file;
 *   x   x       x        x        r           nobody else may read a secret, or put another file in its place
 *
 * Goes by mode bits alone: what access lists or a security module add to them is not seen.
 */
import fs from 'node:fs';
import path from 'node:path';
import type { Finding } from '../base/mod.ts';
import { barred, describe, nameOf, waysTo } from './explain-files.ts';
import { shellWord } from './openssl-commands.ts';

/** The user that a broker runs as. */
export interface Reader {
  user: string;
  group: string;
  uid: number;
  groups: readonly number[];
}

/** Null when this machine has no such user. Users of a directory service are not looked for. */
export function readerNamed(user: string): Reader | null {
  const entry = lines('/etc/passwd').find(fields => fields[0] === user);
  if (!entry) return null;
  const own = Number(entry[3]);
  const others = lines('/etc/group').filter(fields => (fields[3] ?? '').split(',').includes(user));
  return {
    user,
    group: nameOf('/etc/group', own),
    uid: Number(entry[2]),
    groups: [own, ...others.map(fields => Number(fields[2]))],
  };
}

function lines(database: string): string[][] {
  try {
    const text = fs.readFileSync(database, 'utf8');
    return text.split('\n').map(line => line.split(':'));
  } catch {
    return [];
  }
}

export interface AccessQuestion {
  /** The line of the configuration that names it. */
  option: string;
  file: string;
  /** Null when it is not known who will read it. */
  reader: Reader | null;
  /** Keys and passwords: to be read by nobody else. */
  isSecret: boolean;
}

/** Nothing about a file that is not there: whoever opens it says so. */
export function explainAccess({ option, file, reader, isSecret }: AccessQuestion): Finding[] {
  if (process.platform === 'win32' || !fs.existsSync(file)) return [];
  const barrier = reader === null ? undefined : waysTo(file).find(each => !mayUse(each, file, reader));
  return [
    ...(barrier === undefined || reader === null ? [] : [barred(option, file, barrier, reader)]),
    ...(isSecret ? openToOthers(file) : []),
    ...replaceable(file),
  ];
}

const readBit = 4;
const writeBit = 2;
const passBit = 1;

/** Reading for the file, passing through for a folder. */
function mayUse(target: string, file: string, reader: Reader): boolean {
  const stats = fs.statSync(target, { throwIfNoEntry: false });
  if (!stats || reader.uid === 0) return true;
  const bit = target === path.resolve(file) ? readBit : passBit;
  const shift = stats.uid === reader.uid ? 6 : reader.groups.includes(stats.gid) ? 3 : 0;
  return ((stats.mode >> shift) & bit) !== 0;
}

function openToOthers(file: string): Finding[] {
  const { mode } = fs.statSync(file);
  if ((mode & readBit) === 0) return [];
  return [
    {
      code: 'file.open-to-others',
      severity: 'warning',
      where: file,
      saw: `every user of this machine may read it: it ${describe(file)}`,
      why: 'It holds secrets: whoever reads it can pretend to be the broker, or its users.',
      remedy: [`chmod o= ${shellWord(file)}`],
    },
  ];
}

/** In a folder with the sticky bit (/tmp) others may add files, but not replace those that are there. */
function replaceable(file: string): Finding[] {
  const target = waysTo(file).find(each => {
    const stats = fs.statSync(each, { throwIfNoEntry: false });
    return stats !== undefined && (stats.mode & writeBit) !== 0 && (stats.mode & 0o1000) === 0;
  });
  if (target === undefined) return [];
  return [
    {
      code: 'file.replaceable',
      severity: 'warning',
      where: target,
      saw: `every user of this machine may write to it: it ${describe(target)}`,
      why: `Whoever can do that can put something else in the place of ${file}, and the broker takes it for its own.`,
      remedy: [`chmod o-w ${shellWord(target)}`],
    },
  ];
}
