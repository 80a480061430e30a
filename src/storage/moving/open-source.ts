/** Which kind of file it is, known by its first bytes and not by its name. */
import { type Entry, type Source } from './entry.ts';
import { openFile, type OpenedFile } from '../open-file.ts';
import { copyStore, isSqlite } from './copy-store.ts';
import { JsonSource } from './json-source.ts';
import { isMosquittoDb, MosquittoDb } from './mosquitto-db/source.ts';
import { MovingError } from './moving-error.ts';
import { startOf } from './start-of.ts';
import { storeEntries } from './store-source.ts';

export interface SourceHelp {
  /** Properties of MQTT 5 into the text that stores keep. */
  propertiesToJson: (properties: Buffer) => string | null;
  /** Unix millisecond. */
  wall: number;
  /** For copies; removed afterwards by whoever made it. */
  folder: string;
}

export async function openSource(file: string, { propertiesToJson, wall, folder }: SourceHelp): Promise<Source> {
  const start = startOf(file);
  if (isMosquittoDb(start)) return new MosquittoDb(file, propertiesToJson);
  if (isSqlite(start)) return new StoreSource(openFile(await copyStore(file, folder), wall), folder);
  if (start.toString().trimStart().startsWith('{')) return new JsonSource(file);
  throw new MovingError('moving.unknown-kind', [
    `Error: ${file} is ${start.length === 0 ? 'empty' : 'nothing that can be imported'}.`,
    "  Import reads Mosquitto's mosquitto.db, the file of its SQLite plugin, a backup, and what export --json writes.",
  ]);
}

/** A store is read from a copy: opening the file itself would change it. */
export class StoreSource implements Source {
  readonly what = 'a store in SQLite';
  readonly makesUpSessions = false;
  readonly hidesMountPoints = false;
  readonly #opened: OpenedFile;
  readonly #folder: string;

  constructor(opened: OpenedFile, folder: string) {
    this.#opened = opened;
    this.#folder = folder;
  }

  entries(): Iterable<Entry> {
    return storeEntries(this.#opened.db);
  }

  /** What was found and mended when the copy was opened; nobody knows the folder that it lies in. */
  losses(): string[] {
    return this.#opened.remarks.map(remark => remark.replaceAll(`${this.#folder}/`, '').trim());
  }

  close(): void {
    this.#opened.db.close();
  }
}
