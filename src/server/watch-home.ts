/**
 * Notices what `zancudo ca` and `zancudo device` have changed while the broker runs: the CAs whose clients are let in,
 * the revocation list, the access rules, the broker's own certificates. No process has to be found and no right to
 * signal it is needed.
 *
 *   clients/*, server/*, access  ->  an event of the file system, or where there is none a look twice a second  ->  reload
 */
import fs from 'node:fs';
import path from 'node:path';

/** The writers replace several files one after the other; this long after the last one it is time. */
const quietMs = 50;
/** Where the system gives no events (a full inotify table, some network file systems). */
const lookEveryMs = 500;

const accessFile = 'access';

/** Calls `changed` after every change, never twice at a time. Returns what stops the watching. */
export function watchHome(folder: string, changed: () => Promise<void>): () => void {
  let timer: NodeJS.Timeout | undefined;
  let working: Promise<void> = Promise.resolve();
  const notice = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      working = working.then(changed);
    }, quietMs).unref();
  };
  const stops = [
    watchFiles(folder, name => name === accessFile, notice),
    ...['clients', 'server'].map(name => watchFiles(path.join(folder, name), isFinished, notice)),
  ];
  return () => {
    clearTimeout(timer);
    for (const stop of stops) stop();
  };
}

const isFinished = (name: string): boolean => !name.includes('.tmp-');

function watchFiles(folder: string, counts: (name: string) => boolean, notice: () => void): () => void {
  try {
    const watcher = fs.watch(folder, { persistent: false }, (_event, name) => {
      if (name === null || counts(name)) notice();
    });
    // The folder was moved away, for example: the broker goes on with what it has loaded.
    watcher.on('error', () => watcher.close());
    return () => watcher.close();
  } catch {
    return lookAtFiles(folder, counts, notice);
  }
}

function lookAtFiles(folder: string, counts: (name: string) => boolean, notice: () => void): () => void {
  let before = stampsOf(folder, counts);
  const timer = setInterval(() => {
    const now = stampsOf(folder, counts);
    if (now !== before) notice();
    before = now;
  }, lookEveryMs).unref();
  return () => clearInterval(timer);
}

function stampsOf(folder: string, counts: (name: string) => boolean): string {
  try {
    const stamp = (name: string): string => {
      const { mtimeMs, ino, size } = fs.statSync(path.join(folder, name));
      return `${name} ${mtimeMs} ${ino} ${size}`;
    };
    return fs.readdirSync(folder).filter(counts).map(stamp).join('\n');
  } catch {
    return '';
  }
}
