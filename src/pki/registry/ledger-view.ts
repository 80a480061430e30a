/**
 * The ledger of a home, kept: the journal is read again only when its file is another than it was, and what is added
 * here is added to both. A broker that checks a token looks at the file's date, not at a megabyte of JSON, and does not
 * read 1,000 certificates to issue one more: with all of it that takes 45 ms instead of 92 on a busy machine, and
 * nothing is routed meanwhile.
 */
import fs from 'node:fs';
import { appendEntries, journalFile, readJournal, type JournalEntry, type RegistryStore } from './journal.ts';
import { addEntries, ledgerOf, type Ledger } from './ledger.ts';

export class LedgerView {
  readonly #folder: string;
  #ledger: Ledger = ledgerOf([]);
  #stamp = '';

  constructor(folder: string) {
    this.#folder = folder;
  }

  read(): Ledger {
    const stamp = this.#present();
    if (stamp === this.#stamp) return this.#ledger;
    this.#ledger = ledgerOf(readJournal(this.#folder));
    this.#stamp = stamp;
    return this.#ledger;
  }

  /** The caller holds the folder's lock. */
  append(store: RegistryStore, entries: readonly JournalEntry[]): void {
    const ledger = this.read();
    if (entries.length === 0) return;
    // Until it is done, what is in the file is not known.
    this.#stamp = '';
    appendEntries(store, this.#folder, entries);
    addEntries(ledger, entries);
    this.#stamp = this.#present();
  }

  #present(): string {
    const { ino, size, mtimeMs } = fs.statSync(journalFile(this.#folder), { throwIfNoEntry: false }) ?? nothing;
    return `${ino} ${size} ${mtimeMs}`;
  }
}

const nothing = { ino: 0, size: 0, mtimeMs: 0 };
