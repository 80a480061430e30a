/**
 * Writes the file whenever something has changed, away from the routing thread's way.
 *
 *   change ─ change ─ save() ─┐
 *                     save() ─┴─ one write of all there is ── both are told
 *
 * FILE.new is written, synced and put into the place of FILE, so that it is never half there.
 */
import { existsSync } from 'node:fs';
import { open, realpath, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** What keeps a file from being replaced, and not from being written: mounted alone into a container, for one. */
const renameRefusals = ['EACCES', 'EBUSY', 'EPERM', 'EROFS', 'EXDEV'];

/** For its owner alone. */
export async function replaceFile(file: string, text: string): Promise<void> {
  const target = await realpath(file).catch(() => file);
  try {
    const unfinished = `${target}.new`;
    await writeSynced(unfinished, text);
    await rename(unfinished, target);
    await syncFolderOf(target);
  } catch (error) {
    if (!renameRefusals.includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    await writeFile(target, text, { mode: 0o600, flush: true });
  }
}

/** What a write that was cut off has left behind is not written into, nor is a link that somebody has put there. */
async function writeSynced(file: string, text: string): Promise<void> {
  await rm(file, { force: true });
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.chmod(0o600);
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Without this a power cut may forget the name. Some file systems cannot; then nothing more can be done. */
async function syncFolderOf(file: string): Promise<void> {
  try {
    const handle = await open(path.dirname(file), 'r');
    await handle.sync().finally(() => handle.close());
  } catch {
    return;
  }
}

export class RulesFile {
  private readonly file: string;
  private readonly text: () => string;
  private readonly failed: (error: unknown) => void;
  /** A damaged file is kept under another name before it is replaced for the first time. */
  private putAside: boolean;
  private writing: Promise<void> | null = null;
  private next: Promise<void> | null = null;

  constructor(file: string, isDamaged: boolean, text: () => string, failed: (error: unknown) => void) {
    this.file = file;
    this.putAside = isDamaged;
    this.text = text;
    this.failed = failed;
  }

  /** Once all that has changed so far is on the disk; or not, when that has been said. Never rejects. */
  save(): Promise<void> {
    if (this.writing === null) return (this.writing = this.write());
    return (this.next ??= this.writing.then(() => {
      this.next = null;
      return (this.writing = this.write());
    }));
  }

  /** Whatever is being written, or will be. */
  async settled(): Promise<void> {
    while (this.writing !== null) await (this.next ?? this.writing);
  }

  private async write(): Promise<void> {
    try {
      if (this.putAside && existsSync(this.file)) await rename(this.file, `${this.file}.damaged`);
      this.putAside = false;
      await replaceFile(this.file, this.text());
    } catch (error) {
      this.failed(error);
    } finally {
      if (this.next === null) this.writing = null;
    }
  }
}
