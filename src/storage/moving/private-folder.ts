/** A folder for half-made files, beside the place where they go, so that the last step is a rename. */
import fs from 'node:fs';
import path from 'node:path';

export async function inPrivateFolder<T>(beside: string, use: (folder: string) => Promise<T> | T): Promise<T> {
  const folder = fs.mkdtempSync(path.join(path.dirname(path.resolve(beside)), '.zancudo-'));
  try {
    return await use(folder);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** Root works for the broker's user here: what is new in a folder belongs to whom the folder belongs. */
export function giveToOwnerOf(folder: string, file: string): void {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = fs.statSync(folder);
  fs.chownSync(file, uid, gid);
}

/** Without this a power cut may forget the name. Some file systems cannot; then nothing more can be done. */
export function syncFolder(folder: string): void {
  try {
    const handle = fs.openSync(folder, 'r');
    fs.fsyncSync(handle);
    fs.closeSync(handle);
  } catch {
    return;
  }
}

/** `20260131T120000Z`, for names of what is set aside. */
export function stamp(now: Date): string {
  return now.toISOString().replace(/[-:]|\.\d+/g, '');
}
