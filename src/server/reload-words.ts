/** What a reload has changed, in sentences for the operator. */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import type { ListenerSettings, SettingChange, Settings } from '../conf/mod.ts';

/** Names of options whose values are secrets, or may have one in them. */
const secret = /password|psk|secret|token|_key$|url|params|opt_/;

/** `max_queued_messages of port 8883: 1000 -> 500`; of a secret only that it has changed. */
export function changeText({ option, listener, from, to }: SettingChange): string {
  const change = secret.test(option) && !/_file$/.test(option) ? 'changed' : `${valueText(from)} -> ${valueText(to)}`;
  return `${option}${listener === null ? '' : ` of ${listener}`}: ${change}`;
}

function valueText(value: unknown): string {
  if (value === null || value === undefined || value === '') return 'not set';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

type Kind = 'access' | 'certificates';

interface NamedFile {
  kind: Kind;
  option: string;
  path: string;
}

/** Remembers the content of the files that the settings name, as digests, and says which have another one now. */
export class FileNews {
  #digests: Map<string, string> | null = null;

  /** From now on; without it there are no news, and no file is read for them. */
  watch(settings: Settings): void {
    this.#digests = new Map(filesOf(settings).map(({ path }) => [path, digestOf(path)]));
  }

  /** A kind that could not be put in force stays what it was, here too. */
  news(settings: Settings, inForce: Readonly<Record<Kind, boolean>>): string[] {
    const before = this.#digests;
    if (before === null) return [];
    const files = filesOf(settings).filter(({ kind }) => inForce[kind]);
    const changed = files.filter(({ path }) => {
      const [old, now] = [before.get(path), digestOf(path)];
      before.set(path, now);
      return old !== undefined && old !== now;
    });
    return [...new Set(changed.map(({ option, path }) => `${option} ${path}: new content`))];
  }
}

function filesOf({ listeners }: Settings): NamedFile[] {
  return listeners.flatMap(listener => [...accessFiles(listener), ...certificateFiles(listener)]);
}

function accessFiles({ security }: ListenerSettings): NamedFile[] {
  const { passwordFile, aclFile, pskFile } = security;
  return named('access', { password_file: passwordFile, acl_file: aclFile, psk_file: pskFile });
}

function certificateFiles(listener: ListenerSettings): NamedFile[] {
  const { cafile, certfile, keyfile, certfileRsa, keyfileRsa, crlfile } = listener;
  const files = { cafile, certfile, keyfile, certfile_rsa: certfileRsa, keyfile_rsa: keyfileRsa, crlfile };
  return named('certificates', files);
}

function named(kind: Kind, files: Readonly<Record<string, string | null>>): NamedFile[] {
  return Object.entries(files).flatMap(([option, path]) => (path === null ? [] : [{ kind, option, path }]));
}

/** Empty for a file that cannot be read; loading it says why. */
function digestOf(path: string): string {
  try {
    return createHash('sha256').update(fs.readFileSync(path)).digest('hex');
  } catch {
    return '';
  }
}
