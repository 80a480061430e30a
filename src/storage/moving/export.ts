/** Export: everything that a store keeps as lines of JSON, read from a copy, so that the broker may go on running. */
import fs from 'node:fs';
import path from 'node:path';
import { openFile } from '../open-file.ts';
import { copyStore } from './copy-store.ts';
import { entryToJson } from './json-entry.ts';
import { headerLine } from './json-source.ts';
import { nothingThere } from './backup.ts';
import { MovingError } from './moving-error.ts';
import { inPrivateFolder, syncFolder } from './private-folder.ts';
import { startOf } from './start-of.ts';
import { storeEntries } from './store-source.ts';

/** So many characters are gathered for one write. */
const BLOCK_CHARACTERS = 262_144;

export interface Exported {
  lines: number;
  /** What was found damaged, and left out. */
  remarks: string[];
}

/** `write` gets whole lines. */
export async function exportStore(store: string, wall: number, write: (text: string) => void): Promise<Exported> {
  if (!fs.existsSync(store)) throw nothingThere(store);
  return inPrivateFolder(store, async folder => {
    const copy = await copyStore(store, folder);
    return writeEntries(copy, wall, write);
  });
}

/** Into a file for its owner alone, which has its name when it is complete. */
export async function exportToFile(store: string, wall: number, file: string): Promise<Exported> {
  refuseForeignTarget(file);
  return inPrivateFolder(file, async folder => {
    const unfinished = path.join(folder, 'export.json');
    const handle = fs.openSync(unfinished, 'wx', 0o600);
    try {
      const exported = await exportStore(store, wall, text => void fs.writeFileSync(handle, text));
      fs.fsyncSync(handle);
      fs.renameSync(unfinished, file);
      syncFolder(path.dirname(path.resolve(file)));
      return exported;
    } finally {
      fs.closeSync(handle);
    }
  });
}

/** An export may replace the one of yesterday, and nothing else. */
function refuseForeignTarget(file: string): void {
  if ((fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0) === 0) return;
  if (startOf(file).toString().startsWith('{"kind":"header"')) return;
  throw new MovingError('moving.foreign-target', [
    `Error: ${file} is there already and is no export; it was left as it is. Name another file.`,
  ]);
}

function writeEntries(copy: string, wall: number, write: (text: string) => void): Exported {
  const { db, remarks } = openFile(copy, wall);
  let block = `${headerLine(new Date(wall))}\n`;
  let lines = 1;
  try {
    for (const entry of storeEntries(db)) {
      block += `${entryToJson(entry)}\n`;
      lines++;
      if (block.length < BLOCK_CHARACTERS) continue;
      write(block);
      block = '';
    }
    write(block);
  } finally {
    db.close();
  }
  return { lines, remarks: remarks.map(remark => remark.replaceAll(`${path.dirname(copy)}/`, '').trim()) };
}
