/** PageWriter turns rows of a page into blocks that cross the thread border cheaply (protocol.ts, PageRows). */
import { PAGE_TEXTS, pageNumbers, type PageRows } from './protocol.ts';
import { bytesOf } from './read-state.ts';

/** Numbers that the query gives; the rest is added here. */
const READ_NUMBERS = pageNumbers.payloadBytes;
const PAYLOAD = READ_NUMBERS + PAGE_TEXTS;

export class PageWriter {
  rows = 0;
  bytes = 0;
  readonly #numbers: number[] = [];
  readonly #texts: (string | null)[] = [];
  readonly #payloads: Uint8Array[] = [];
  #before: unknown[] = [];

  add(row: unknown[]): void {
    this.rows++;
    for (let i = 0; i < READ_NUMBERS; i++) this.#numbers.push(typeof row[i] === 'number' ? (row[i] as number) : 0);
    const payload = bytesOf(row[PAYLOAD]);
    this.#payloads.push(payload);
    this.bytes += payload.length;
    this.#numbers.push(payload.length, this.#addTexts(row) ? 1 : 0);
  }

  finish(): PageRows {
    const bytes = new Uint8Array(this.bytes);
    let at = 0;
    for (const payload of this.#payloads) {
      bytes.set(payload, at);
      at += payload.length;
    }
    return { numbers: Float64Array.from(this.#numbers), texts: this.#texts, bytes };
  }

  /** False when they are those of the row before. */
  #addTexts(row: unknown[]): boolean {
    const before = this.#before;
    this.#before = row;
    let isNew = false;
    for (let i = READ_NUMBERS; i < PAYLOAD; i++) if (row[i] !== before[i]) isNew = true;
    if (!isNew) return false;
    for (let i = READ_NUMBERS; i < PAYLOAD; i++)
      this.#texts.push(typeof row[i] === 'string' ? (row[i] as string) : null);
    return true;
  }
}

export const noRows = (): PageRows => ({ numbers: new Float64Array(0), texts: [], bytes: new Uint8Array(0) });
