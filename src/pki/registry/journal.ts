/**
 * The journal of a CA: one line of JSON for everything that was issued, revoked or decided, in the order it happened.
 * Lines are only ever added.
 *
 *   {"event":"issued","at":1795305600000,"name":"lamp","serial":"7F...",...}\n
 *   {"event":"revoked","at":1795392000000,"serial":"7F...","because":"lost"}\n
 *   {"event":"iss                                       <- a power cut; the next line starts on a line of its own
 *
 * An entry is on the disk before what it speaks of leaves our hands: a certificate that nobody wrote down does not
 * exist, so whatever exists can be listed and revoked.
 */
import fs from 'node:fs';
import path from 'node:path';
import { diskStore, readIfThere, type FileStore } from '../key-store.ts';
import type { KeyKind } from '../keys.ts';
import { PkiError } from '../pki-error.ts';
import type { ClientProfileName, ProfileName } from '../profiles.ts';

export type JournalEntry =
  | Issued
  | { event: 'revoked'; at: number; serial: string; because: string }
  /** The rules that an identity follows from now on. */
  | { event: 'template'; at: number; name: string; template: string }
  | { event: 'root'; at: number; fingerprint: string; how: 'imported' | 'new' }
  /** The CA before this one is no longer vouched for. */
  | { event: 'root-settled'; at: number; fingerprint: string }
  | Invited
  | { event: 'invite-withdrawn'; at: number; invite: string };

export interface Issued {
  event: 'issued';
  at: number;
  name: string;
  profile: ProfileName;
  /** Upper-case hexadecimal. */
  serial: string;
  /** Unix time in milliseconds. */
  ends: number;
  /** Of the CA that devices of this time were given. */
  root: string;
  /** The certificate in DER, base64. */
  certificate: string;
  /** Access template; null for what is no client. */
  template: string | null;
  /**
   * The invitation that this certificate used up. It stands in the same line, so that no power cut can leave a
   * certificate whose token is still good.
   */
  invite?: string;
}

/** Whoever brings the token is given one certificate of this name. */
export interface Invited {
  event: 'invited';
  at: number;
  /** Short, for people to name it by. */
  invite: string;
  name: string;
  /** SHA-256 of the token, hexadecimal. The token itself is kept nowhere. */
  hash: string;
  profile: ClientProfileName;
  template: string;
  /** Null for that of the profile. */
  lifetimeDays: number | null;
  /** Kind of key the request must have; null for any that is good. */
  keyKind: KeyKind | null;
  /** Unix time in milliseconds. */
  until: number;
  /** Addresses that may use it; null for all. */
  range: string | null;
  /** Whether there was a device of that name already, whose certificates the new one replaces. */
  again: boolean;
}

/** A FileStore that can add to the end of a file. */
export interface RegistryStore extends FileStore {
  append(file: string, text: string): void;
}

export const diskRegistryStore: RegistryStore = {
  ...diskStore,
  append(file, text) {
    if (!fs.existsSync(file)) diskStore.write(file, '');
    const handle = fs.openSync(file, 'a', 0o600);
    try {
      fs.writeSync(handle, text);
      fs.fsyncSync(handle);
    } finally {
      fs.closeSync(handle);
    }
  },
};

export const journalFile = (folder: string): string => path.join(folder, 'ca', 'journal');

/** One call, one line, one flush; several entries that belong together are written as one. */
export function appendEntries(store: RegistryStore, folder: string, entries: readonly JournalEntry[]): void {
  if (entries.length === 0) return;
  const file = journalFile(folder);
  const text = entries.map(entry => `${JSON.stringify(entry)}\n`).join('');
  store.append(file, endsInTheMiddle(file) ? `\n${text}` : text);
}

function endsInTheMiddle(file: string): boolean {
  if (!fs.existsSync(file)) return false;
  const handle = fs.openSync(file, 'r');
  try {
    const { size } = fs.fstatSync(handle);
    const last = Buffer.alloc(1);
    return size > 0 && fs.readSync(handle, last, 0, 1, size - 1) === 1 && last[0] !== 0x0a;
  } finally {
    fs.closeSync(handle);
  }
}

export function readJournal(folder: string): JournalEntry[] {
  const file = journalFile(folder);
  const lines = (readIfThere(file) ?? '').split('\n');
  return lines.flatMap((line, at) => {
    if (line === '') return [];
    const entry = parsed(line);
    if (entry !== null) return [entry];
    // A line that was cut short ends where its beginning was a line of ours; anything else was damaged by others.
    if (line.startsWith('{"event":')) return [];
    throw damaged(file, at + 1);
  });
}

function parsed(line: string): JournalEntry | null {
  try {
    return JSON.parse(line) as JournalEntry;
  } catch {
    return null;
  }
}

function damaged(file: string, line: number): PkiError {
  return new PkiError({
    code: 'pki.journal-damaged',
    where: `${file}:${line}`,
    saw: 'this line was not written by this program',
    why: 'The journal says which certificates exist and which are revoked. Going on without a line of it would forget one.',
    remedy: ['Restore the file from a copy, or take the line out if you know that it does not belong there.'],
  });
}
