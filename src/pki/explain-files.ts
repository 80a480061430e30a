/**
 * Why a file cannot be used, before anything in it is looked at: it is not there, or somebody on the way to it says no.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Finding } from '../base/mod.ts';
import { shellWord } from './openssl-commands.ts';

type Read = { text: string; finding: null } | { text: null; finding: Finding };

/** Larger than any certificate bundle; a log file given by mistake is not read to its end. */
const fileBytesMax = 16_777_216;

/** `option` is the line of the configuration that names the file, `nearest` the caller's guess at what was meant. */
export function readOrExplain(option: string, file: string, nearest: (file: string) => string | null): Read {
  try {
    if (fs.statSync(file).size > fileBytesMax) return { text: null, finding: tooLarge(option, file) };
    const text = fs.readFileSync(file, 'utf8');
    return text.trim() === '' ? { text: null, finding: empty(option, file) } : { text, finding: null };
  } catch (error) {
    return { text: null, finding: unreadable(option, file, error as NodeJS.ErrnoException, nearest) };
  }
}

function unreadable(
  option: string,
  file: string,
  { code, message }: NodeJS.ErrnoException,
  nearest: (file: string) => string | null,
): Finding {
  if (code === 'ENOENT' || code === 'ENOTDIR') return missing(option, file, nearest(file));
  if (code === 'EACCES' || code === 'EPERM') return forbidden(option, file);
  return {
    code: 'tls.file-unreadable',
    severity: 'error',
    where: file,
    saw: code === 'EISDIR' ? `${option} names a folder` : `it cannot be read (${message})`,
    why: `${option} has to name a file in PEM form.`,
    remedy: [`Name the file itself: ${option} ${path.join(file, 'NAME.crt')}`],
  };
}

function missing(option: string, file: string, nearest: string | null): Finding {
  const { dir: folder } = path.parse(file);
  const lost = firstMissing(file);
  return {
    code: 'tls.file-missing',
    severity: 'error',
    where: file,
    saw: lost === file ? 'there is no such file' : `there is no such file; the path ends at ${path.dirname(lost)}`,
    why: `${option} names it.`,
    remedy:
      nearest === null
        ? [`Put the file there, or correct the line "${option} ${file}". What is there: ls -l ${shellWord(folder)}`]
        : [`Perhaps you meant: ${option} ${nearest}`],
  };
}

/** The first part of the path that does not exist. */
function firstMissing(file: string): string {
  return waysTo(file).find(each => !fs.existsSync(each)) ?? file;
}

/** `/`, `/etc`, `/etc/mosquitto`, ... and the file itself. */
export function waysTo(file: string): string[] {
  const full = path.resolve(file);
  const { root } = path.parse(full);
  const parts = full.slice(root.length).split(path.sep);
  return [root, ...parts.map((_, i) => path.join(root, ...parts.slice(0, i + 1)))];
}

function empty(option: string, file: string): Finding {
  return {
    code: 'tls.file-empty',
    severity: 'error',
    where: file,
    saw: 'the file is empty',
    why: `${option} names it. A copy or an openssl command that failed leaves such a file behind.`,
    remedy: ['Make or copy it again, and look at what the command says.'],
  };
}

function tooLarge(option: string, file: string): Finding {
  return {
    code: 'tls.file-too-large',
    severity: 'error',
    where: file,
    saw: `it is larger than ${fileBytesMax / 1_048_576} MiB`,
    why: `${option} names it, and no certificate file is that large.`,
    remedy: [`Correct the line "${option} ${file}".`],
  };
}

function forbidden(option: string, file: string): Finding {
  const barrier = waysTo(file).find(each => !allowed(each, each === path.resolve(file))) ?? file;
  return barred(option, file, barrier, whoWeAre());
}

/** `barrier` is the file itself or the first folder on the way to it that does not let `us` through. */
export function barred(option: string, file: string, barrier: string, us: { user: string; group: string }): Finding {
  const about = describe(barrier);
  const what = barrier === path.resolve(file) ? 'the file' : `the folder ${barrier} on the way to it`;
  const bits = barrier === path.resolve(file) ? 'g+r' : 'g+x';
  return {
    code: 'tls.file-forbidden',
    severity: 'error',
    where: file,
    saw: `user ${us.user} may not read it: ${what} ${about}`,
    why: `The broker runs as user ${us.user}, group ${us.group}, also when it was started as root; ${option} names this file.`,
    remedy: [`sudo chgrp ${us.group} ${shellWord(barrier)} && sudo chmod ${bits} ${shellWord(barrier)}`],
  };
}

/** Read for the file, pass through for a folder. */
function allowed(target: string, isFile: boolean): boolean {
  try {
    if (isFile) fs.closeSync(fs.openSync(target, 'r'));
    // Asking for `.` inside it takes the right to pass through; path.join would drop the dot.
    else fs.statSync(`${target}/.`);
    return true;
  } catch {
    return false;
  }
}

/** `belongs to root:root and has mode 0600`. */
export function describe(target: string): string {
  try {
    const { uid, gid, mode } = fs.statSync(target);
    const bits = (mode & 0o7777).toString(8).padStart(4, '0');
    return `belongs to ${nameOf('/etc/passwd', uid)}:${nameOf('/etc/group', gid)} and has mode ${bits}`;
  } catch {
    return 'cannot be looked at';
  }
}

function whoWeAre(): { user: string; group: string } {
  const uid = process.geteuid?.() ?? os.userInfo().uid;
  const gid = process.getegid?.() ?? os.userInfo().gid;
  return { user: nameOf('/etc/passwd', uid), group: nameOf('/etc/group', gid) };
}

/** Users known only to a directory service come out as their number, which chown and chgrp take as well. */
export function nameOf(database: string, id: number): string {
  try {
    const lines = fs.readFileSync(database, 'utf8').split('\n');
    return lines.find(line => line.split(':')[2] === String(id))?.split(':')[0] ?? String(id);
  } catch {
    return String(id);
  }
}
