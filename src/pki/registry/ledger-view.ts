/**
 * The ledger for whoever asks often, such as a broker that checks tokens: the journal is read again only when its
 * file has changed. So a flood of wrong tokens costs a look at the file each, not a megabyte of JSON.
 */
import fs from 'node:fs';
import { journalFile, readJournal } from './journal.ts';
import { ledgerOf, type Ledger } from './ledger.ts';

export class LedgerView {
  readonly #folder: string;
  #ledger: Ledger = ledgerOf([]);
  #stamp = '';

  constructor(folder: string) {
    this.#folder = folder;
  }

  read(): Ledger {
    const stamp = stampOf(journalFile(this.#folder));
    if (stamp !== this.#stamp) {
      this.#ledger = ledgerOf(readJournal(this.#folder));
      this.#stamp = stamp;
    }
    return this.#ledger;
  }
}

function stampOf(file: string): string {
  const { ino, size, mtimeMs } = fs.statSync(file, { throwIfNoEntry: false }) ?? { ino: 0, size: 0, mtimeMs: 0 };
  return `${ino} ${size} ${mtimeMs}`;
}
