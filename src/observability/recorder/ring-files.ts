/**
 * A ring made of files: lines are appended to the newest, and when all together are too large the oldest one goes.
 *
 *   00000007.jsonl   00000008.jsonl   00000009.jsonl <── append       an eighth of the whole each
 *   └ removed next
 *
 * What is written is the kernel's at once, so that it outlives the process however that ends. A file that ends in the
 * middle of a line (the power went) gets a newline first: what is torn stays one line, and readers pass it over.
 */
// fs.promises is there when it is asked for, and brings a megabyte: a record in memory alone does not ask.
import fs from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';

const PARTS = 8;
const FILE = /^(\d{8})\.jsonl$/;

export interface RingSettings {
  folder: string;
  bytesMax: number;
}

export class RingFiles {
  readonly #settings: RingSettings;
  #file: FileHandle | null = null;
  #number = 0;
  #bytes = 0;

  constructor(settings: RingSettings) {
    this.#settings = settings;
  }

  /** For writing at the very end of a process, when nothing can be waited for; null while no file is open. */
  get descriptor(): number | null {
    return this.#file?.fd ?? null;
  }

  async append(text: string): Promise<void> {
    const file = this.#file ?? (await this.#openNewest());
    const bytes = Buffer.from(text);
    let written = 0;
    try {
      while (written < bytes.length) written += (await file.write(bytes, written)).bytesWritten;
    } catch (error) {
      await this.#takeBack(file, written);
      throw error;
    }
    this.#bytes += bytes.length;
    if (this.#bytes >= this.#partBytes) await this.#turn();
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = null;
    await file?.close();
  }

  /** What was written of a text that did not find room will come again, unless somebody else has written behind it. */
  async #takeBack(file: FileHandle, written: number): Promise<void> {
    try {
      if ((await file.stat()).size === this.#bytes + written) await file.truncate(this.#bytes);
    } catch {
      // Then it is there twice.
    }
  }

  get #partBytes(): number {
    return this.#settings.bytesMax / PARTS;
  }

  async #openNewest(): Promise<FileHandle> {
    const { folder } = this.#settings;
    await fs.promises.mkdir(folder, { recursive: true, mode: 0o700 });
    this.#number = (await numbersIn(folder)).at(-1) ?? 1;
    const file = await this.#open();
    const { size } = await file.stat();
    this.#bytes = size;
    if (size > 0 && !(await endsInNewline(file, size))) this.#bytes += (await file.write('\n')).bytesWritten;
    return file;
  }

  async #open(): Promise<FileHandle> {
    this.#file = await fs.promises.open(fileIn(this.#settings.folder, this.#number), 'a+', 0o600);
    return this.#file;
  }

  async #turn(): Promise<void> {
    await this.close();
    this.#number++;
    this.#bytes = 0;
    await this.#open();
    const { folder, bytesMax } = this.#settings;
    const numbers = await numbersIn(folder);
    const sizes = await Promise.all(numbers.map(async number => (await fs.promises.stat(fileIn(folder, number))).size));
    // Room for the file that was just begun, so that the whole is never more than it may be.
    let whole = sizes.reduce((sum, size) => sum + size, 0) + this.#partBytes;
    for (let at = 0; whole > bytesMax && at < numbers.length - 1; at++) {
      await fs.promises.rm(fileIn(folder, numbers[at]!), { force: true });
      whole -= sizes[at]!;
    }
  }
}

async function endsInNewline(file: FileHandle, size: number): Promise<boolean> {
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer[0] === 0x0a;
}

export function fileIn(folder: string, number: number): string {
  return path.join(folder, `${String(number).padStart(8, '0')}.jsonl`);
}

/** The oldest first. */
async function numbersIn(folder: string): Promise<number[]> {
  return numbersOf(await fs.promises.readdir(folder));
}

export function numbersOf(names: readonly string[]): number[] {
  return names.flatMap(name => Number(FILE.exec(name)?.[1] ?? [])).sort((a, b) => a - b);
}
