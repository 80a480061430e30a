/**
 * Several files that only make sense together:
 *
 *   everything into ca/pending, flushed -> each file -> ca/pending removed
 *
 * A power cut before the first step is done leaves the old files; after it, the next start takes the other steps
 * again.
 */
import path from 'node:path';
import { readIfThere, type FileStore } from './key-store.ts';

export interface FileChange {
  file: string;
  /** Null: the file goes away. */
  text: string | null;
}

const pendingFile = (folder: string): string => path.join(folder, 'ca', 'pending');

/** The caller holds the folder's lock. */
export function writeTogether(folder: string, store: FileStore, changes: readonly FileChange[]): void {
  const relative = changes.map(({ file, text }) => ({ file: path.relative(folder, file), text }));
  store.write(pendingFile(folder), JSON.stringify(relative));
  finishTogether(folder, store);
}

/** What a power cut has left to do; nothing most of the time. */
export function finishTogether(folder: string, store: FileStore): void {
  const pending = readIfThere(pendingFile(folder));
  if (pending === null) return;
  for (const { file, text } of JSON.parse(pending) as FileChange[]) {
    const target = path.join(folder, file);
    store.makeFolder(path.dirname(target));
    if (text === null) store.remove(target);
    else store.write(target, text);
  }
  store.remove(pendingFile(folder));
}
