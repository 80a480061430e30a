/**
 * Tails fetches what waits for clients in the file alone, a page at a time, and takes out of it what has expired. This
 * is the half on the routing thread; the worker's is read-tail.ts.
 *
 *   fetch() ──> page ──────────────> take() for each row, done()
 *            └─ came back short while rows are still on their way into the file: again after the next commit
 *
 * A page that is on its way when its session ends, or when its client goes and the queue is stowed, is passed over: the
 * rows stay where they are.
 */
import type { Page, StoredDelivery } from '../broker/ports.ts';
import { messageFromCells } from './message-cells.ts';
import type { Pending } from './pending.ts';
import {
  EXPIRED_CELLS,
  PAGE_NUMBERS,
  PAGE_TEXTS,
  pageNumbers,
  type WorkerReply,
  type WorkerRequest,
} from './protocol.ts';
import { qosOf } from './columns.ts';
import type { ClientRows, MessageRow } from './rows.ts';

type PageReply = Extract<WorkerReply, { kind: 'page' }>;
type ExpiredReply = Extract<WorkerReply, { kind: 'expired' }>;
type Removed = (clientId: string, messages: number, bytes: number) => void;

interface Fetch {
  readonly client: ClientRows;
  readonly page: Page;
}

export interface TailsOptions {
  pending: Pending;
  send: (request: WorkerRequest) => void;
  /** What is gathered is to be written at once: somebody waits to read it. */
  hurry: () => void;
  propertiesFromJson: (text: string) => Buffer;
}

export class Tails {
  readonly #options: TailsOptions;
  readonly #fetches = new Map<number, Fetch>();
  /** That have to wait for the next commit. */
  #waiting: Fetch[] = [];
  #nextFetch = 1;
  /** Who wants to hear of expired messages while they are looked for; null when they are not. */
  #removed: Removed | null = null;
  /** Rows that are removed and still in the file, in the next batch or in the one at hand: no page brings them back. */
  #gone = new Set<number>();
  #goneHanded = new Set<number>();

  constructor(options: TailsOptions) {
    this.#options = options;
  }

  /** Pages are on their way. */
  get isReading(): boolean {
    return this.#fetches.size > 0;
  }

  fetch(clientId: string, page: Page): void {
    const client = this.#options.pending.clients.get(clientId);
    if (client === undefined) return;
    client.tail.page = page;
    const { rows, handed } = client.tail;
    if (rows > handed) this.#ask({ client, page });
    else this.#wait({ client, page });
  }

  /** The worker is given everything that has gathered. */
  handedOver(): void {
    this.#goneHanded = this.#gone;
    this.#gone = new Set();
  }

  /** Everything that the worker was given is in the file. */
  committed(): void {
    this.#goneHanded = new Set();
    const due = this.#waiting;
    this.#waiting = [];
    for (const fetch of due) if (fetch.client.tail.page === fetch.page) this.#ask(fetch);
  }

  received(reply: PageReply): void {
    const fetch = this.#fetches.get(reply.id)!;
    this.#fetches.delete(reply.id);
    const { client, page } = fetch;
    if (client.tail.page !== page) return;
    const count = this.#takeRows(reply, fetch);
    const { appended, handed } = client.tail;
    const isComing = appended.length + handed > 0;
    // Nothing could be read of what is on its way into the file: it is there after the next commit.
    if (count === 0 && isComing) return this.#wait(fetch);
    client.tail.page = null;
    const end = !reply.full && !isComing;
    // After damage there may be less than there was.
    if (end) client.tail.rows = 0;
    page.done(end);
  }

  findExpired(second: number, removed: Removed): void {
    if (this.#removed !== null) return;
    this.#removed = removed;
    this.#options.send({ kind: 'expired', second });
  }

  /** Rows of a client whose page is on its way are seen to by whoever gets it. */
  expired({ cells, last }: ExpiredReply): void {
    const { pending } = this.#options;
    const removed = this.#removed!;
    if (last) this.#removed = null;
    const sums = new Map<string, { messages: number; bytes: number }>();
    for (let i = 0; i < cells.length; i += EXPIRED_CELLS) {
      const [clientId, row, message, bytes] = cells.slice(i, i + EXPIRED_CELLS) as [string, number, number, number];
      const tail = pending.clients.get(clientId)?.tail;
      if (tail === undefined || row <= tail.cursor || tail.page !== null || this.#isGone(row)) continue;
      tail.rows--;
      this.#gone.add(row);
      pending.removeTailRow(row, message);
      const sum = sums.get(clientId) ?? { messages: 0, bytes: 0 };
      sums.set(clientId, { messages: sum.messages + 1, bytes: sum.bytes + bytes });
    }
    for (const [clientId, { messages, bytes }] of sums) removed(clientId, messages, bytes);
  }

  #isGone(row: number): boolean {
    return this.#gone.has(row) || this.#goneHanded.has(row);
  }

  #ask(fetch: Fetch): void {
    const { client, page } = fetch;
    const id = this.#nextFetch++;
    this.#fetches.set(id, fetch);
    const { messages, bytes } = page;
    this.#options.send({ kind: 'page', id, clientId: client.clientId, after: client.tail.cursor, messages, bytes });
  }

  #wait(fetch: Fetch): void {
    this.#waiting.push(fetch);
    this.#options.hurry();
  }

  /** Returns how many rows there were. */
  #takeRows({ numbers, texts, bytes }: PageReply, { client, page }: Fetch): number {
    const { tail } = client;
    let [text, payload] = [-PAGE_TEXTS, 0];
    for (let at = 0; at < numbers.length; at += PAGE_NUMBERS) {
      const row = numbers[at]!;
      const payloadBytes = numbers[at + pageNumbers.payloadBytes]!;
      if (numbers[at + pageNumbers.hasTexts] === 1) text += PAGE_TEXTS;
      const body = Buffer.from(bytes.buffer, payload, payloadBytes);
      payload += payloadBytes;
      tail.cursor = row;
      if (this.#isGone(row)) continue;
      tail.rows--;
      const given = this.#deliveryOf(
        numbers.subarray(at, at + PAGE_NUMBERS),
        texts.slice(text, text + PAGE_TEXTS),
        body,
      );
      this.#takeRow(client, page, row, given, numbers[at + pageNumbers.message]!);
    }
    return numbers.length;
  }

  #takeRow(client: ClientRows, page: Page, row: number, given: StoredDelivery | null, message: number): void {
    const { pending } = this.#options;
    const ours = given === null ? null : page.take(given);
    if (ours === null) return pending.removeTailRow(row, message);
    // The message has a row of its own here: it is never written again, and the worker counts its uses.
    const messageRow: MessageRow = { id: message, message: ours.message, uses: 1, stored: true };
    const rest = { delivery: ours, packetId: 0, deliver: true, stored: true };
    client.deliveries.set(ours, { row, client, message: messageRow, ...rest });
  }

  /** Null when it makes no sense. */
  #deliveryOf(numbers: Float64Array, texts: (string | null)[], payload: Buffer): StoredDelivery | null {
    const [, , qos, retain, subscriptionIdentifier = 0, expiresAt = 0, port = 0, messageQos, messageRetain] = numbers;
    const [topic, source, username, properties] = texts;
    const cells = [expiresAt, topic!, source!, username!, port, messageQos!, messageRetain!, properties!];
    const message = messageFromCells(cells, 0, payload, this.#options.propertiesFromJson);
    if (message === null) return null;
    return {
      message,
      qos: qosOf(qos),
      retain: retain === 1,
      subscriptionIdentifier,
      packetId: 0,
      state: 0,
      dup: false,
    };
  }
}
