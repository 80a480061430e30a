/** Export: everything that a store keeps as lines of JSON, read from a copy, so that the broker may go on running. */
import fs from 'node:fs';
import { openFile } from '../open-file.ts';
import { copyStore } from './copy-store.ts';
import { entryToJson } from './json-entry.ts';
import { headerLine } from './json-source.ts';
import { nothingThere } from './backup.ts';
import { storeEntries } from './store-source.ts';

/** So many characters are gathered for one write. */
const BLOCK_CHARACTERS = 262_144;

export interface Exported {
  lines: number;
  /** What was found damaged, and left out. */
  remarks: string[];
}

/** `write` gets whole lines; `folder` is for the copy. */
export async function exportStore(
  store: string,
  folder: string,
  wall: number,
  write: (text: string) => void,
): Promise<Exported> {
  if (!fs.existsSync(store)) throw nothingThere(store);
  const { db, remarks } = openFile(await copyStore(store, folder), wall);
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
  return { lines, remarks: remarks.map(remark => remark.replaceAll(`${folder}/`, '').trim()) };
}
