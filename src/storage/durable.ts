/**
 * DurableStore keeps in a file what it is told, and says when it is safe. This half runs on the routing thread and
 * never waits: it gathers changes, hands them to the worker a batch at a time, and calls back.
 *
 *   heart ──put/remove──> Pending ──take(), end of turn──> worker (one batch at a time, one transaction each)
 *   heart <──onSettled─── callbacks of that batch <──────── committed
 *
 * While the worker commits, the next batch gathers, so a slow disk makes batches larger, not more numerous.
 */
import type { Worker } from 'node:worker_threads';
import type { Page, Store, StoredDelivery, StoredMessage, StoredSession, StoredSubscription } from '../broker/ports.ts';
import type { Pending } from './pending.ts';
import type { WorkerReply, WorkerRequest } from './protocol.ts';
import type { Restored } from './restored.ts';
import { Tails } from './tails.ts';

/**
 * Changes and payload bytes that may wait for the disk; beyond them `overloaded` is true, those who publish are not read
 * until less waits (broker/connection.ts), and onTrouble says so. Some 100 MB of memory.
 */
const WAITING_CHANGES_MAX = 200_000;
const WAITING_BYTES_MAX = 67_108_864;

/**
 * A batch with deliveries to clients who are there waits so long for their acknowledgements: what is acknowledged by then
 * need not be written. Measured with ten pairs on one machine: 402 bytes written for each message without it.
 */
const FLEETING_MS = 2;

/**
 * Changes whose word nobody waits for, such as acknowledgements of subscribers, wait so long for others; longer while
 * queues are read, so that whoever comes back for a long one waits for no commit.
 */
const UNASKED_MS = 50;
const UNASKED_WHILE_READING_MS = 500;

/** Without `commit`, so many changes or payload bytes do not wait for their time. */
const EARLY_CHANGES = 50_000;
const EARLY_BYTES = 16_777_216;

/** What a word of the store is worth (docs/guides/persistence.md). */
export type Durability =
  /** On the disk. */
  | { kind: 'commit' }
  /** On the disk within so many milliseconds. */
  | { kind: 'interval'; milliseconds: number }
  /** On the disk when the broker has stopped, or some time before. */
  | { kind: 'none' };

/** How often a broker that promises nothing writes all the same, as Mosquitto does by default. */
const NOTHING_PROMISED_MS = 1_800_000;

const CLOSED_UNSETTLED = 'closed without the last changes, none of which was acknowledged.';

export interface DurableStoreOptions {
  file: string;
  durability: Durability;
  /** Forwardable MQTT 5 properties to and from the JSON text of the file; null for none. */
  propertiesToJson: (bytes: Buffer) => string | null;
  propertiesFromJson: (text: string) => Buffer;
  /** Unix time in milliseconds. */
  now: () => number;
  /** The disk does not take what it should, or too much waits for it; lines for the log. */
  onTrouble: (lines: readonly string[]) => void;
  onHealed: (lines: readonly string[]) => void;
}

export interface StoreStats {
  /** Changes told since the start, and how many of them wait for the next batch. */
  changes: number;
  waitingChanges: number;
  waitingBytes: number;
  /** Transactions, and rows that they inserted, updated or removed. */
  commits: number;
  /** From handing a batch to the worker until it was safe, summed. */
  commitSeconds: number;
  file: string;
  rowsWritten: number;
  sessions: number;
  messages: number;
  retained: number;
  inTrouble: boolean;
}

export class DurableStore implements Store {
  readonly keeps = true;
  readonly #worker: Worker;
  readonly #pending: Pending;
  readonly #options: DurableStoreOptions;
  #restored: Restored | null;
  /** Of the batch that the worker has, or null when it has none. */
  #inFlight: (() => void)[] | null = null;
  /** Of the batch that gathers. */
  #waiting: (() => void)[] = [];
  #inFlightBytes = 0;
  #scheduled = false;
  #inTrouble = false;
  #toldOverload = false;
  #commits = 0;
  #commitSeconds = 0;
  #handedOverAt = 0;
  #rowsWritten = 0;
  /** Wakes close() when waiting has no end. */
  #giveUp: (() => void) | null = null;
  readonly #tails: Tails;
  /** How long changes gather before they are handed over; 0 for the end of the turn. */
  #gatherMs: number;
  #timer: NodeJS.Timeout | null = null;
  /** When it fires. */
  #due = 0;
  readonly #ended = Promise.withResolvers<void>();

  constructor(worker: Worker, pending: Pending, restored: Restored, options: DurableStoreOptions) {
    this.#worker = worker;
    this.#pending = pending;
    this.#restored = restored;
    this.#options = options;
    const { durability, propertiesFromJson } = options;
    this.#gatherMs =
      durability.kind === 'commit' ? 0 : durability.kind === 'none' ? NOTHING_PROMISED_MS : durability.milliseconds;
    const send = (request: WorkerRequest): void => this.#send(request);
    this.#tails = new Tails({ pending, send, hurry: () => this.#hurry(), propertiesFromJson });
    worker.on('message', (reply: WorkerReply) => this.#receive(reply));
    worker.on('error', (error: Error) => this.#workerFailed(error));
    worker.on('exit', () => this.#ended.resolve());
  }

  get settled(): boolean {
    return this.#gatherMs > 0 || this.#allWritten;
  }

  get #allWritten(): boolean {
    return this.#inFlight === null && this.#waiting.length === 0 && this.#pending.size === 0;
  }

  get changes(): number {
    return this.#pending.changes;
  }

  get overloaded(): boolean {
    return this.#pending.size > WAITING_CHANGES_MAX || this.#waitingBytes > WAITING_BYTES_MAX;
  }

  onSettled(then: () => void): void {
    if (this.settled && !this.overloaded) return then();
    this.#onWritten(then);
  }

  #onWritten(then: () => void): void {
    if (this.#allWritten) return then();
    const nothingNew = this.#pending.size === 0 && this.#waiting.length === 0;
    if (nothingNew && this.#inFlight !== null) this.#inFlight.push(then);
    else {
      this.#waiting.push(then);
      this.#schedule();
    }
  }

  putSession(session: StoredSession): void {
    this.#pending.putSession(session);
    this.#schedule();
  }

  removeSession(clientId: string): void {
    this.#pending.removeSession(clientId);
    this.#schedule();
  }

  putSubscription(clientId: string, subscription: StoredSubscription): void {
    this.#pending.putSubscription(clientId, subscription);
    this.#schedule();
  }

  removeSubscription(clientId: string, filter: string): void {
    this.#pending.removeSubscription(clientId, filter);
    this.#schedule();
  }

  putDelivery(clientId: string, delivery: StoredDelivery): void {
    this.#pending.putDelivery(clientId, delivery);
    this.#schedule();
  }

  removeDelivery(clientId: string, delivery: StoredDelivery): void {
    this.#pending.removeDelivery(clientId, delivery);
    this.#schedule();
  }

  appendDelivery(clientId: string, delivery: StoredDelivery): void {
    this.#pending.appendDelivery(clientId, delivery);
    this.#schedule();
  }

  stow(clientId: string, deliveries: readonly StoredDelivery[]): void {
    this.#pending.stow(clientId, deliveries);
  }

  fetchPage(clientId: string, page: Page): void {
    this.#tails.fetch(clientId, page);
  }

  removeExpired(unixSecond: number, removed: (clientId: string, messages: number, bytes: number) => void): void {
    this.#tails.findExpired(unixSecond, removed);
  }

  putExchange(clientId: string, packetId: number, message: StoredMessage, deliver: boolean): void {
    this.#pending.putExchange(clientId, packetId, message, deliver);
    this.#schedule();
  }

  removeExchange(clientId: string, packetId: number): void {
    this.#pending.removeExchange(clientId, packetId);
    this.#schedule();
  }

  putRetained(message: StoredMessage): void {
    this.#pending.putRetained(message);
    this.#schedule();
  }

  removeRetained(topicName: string): void {
    this.#pending.removeRetained(topicName);
    this.#schedule();
  }

  /** After a restart: the heart's own object stands for one of the state from now on. */
  adopt(given: StoredMessage | StoredDelivery, ours: StoredMessage | StoredDelivery): void {
    this.#restored?.adopt(given, ours);
  }

  /** The heart has taken over what it wanted; the rows of everything else go. */
  forgetUnadopted(): void {
    this.#restored?.forgetUnadopted();
    this.#restored = null;
    this.#schedule();
  }

  stats(): StoreStats {
    return {
      changes: this.#pending.changes,
      waitingChanges: this.#pending.size,
      waitingBytes: this.#waitingBytes,
      commits: this.#commits,
      commitSeconds: this.#commitSeconds,
      file: this.#options.file,
      rowsWritten: this.#rowsWritten,
      sessions: this.#pending.clients.size,
      messages: this.#pending.messages.size,
      retained: this.#pending.retained.size,
      inTrouble: this.#inTrouble,
    };
  }

  /**
   * Writes what waits, cuts the write-ahead log and closes the file. When the disk does not take it the worker tries
   * once more and gives up; onTrouble has said so.
   */
  async close(): Promise<void> {
    await new Promise<void>(resolve => {
      this.#giveUp = resolve;
      if (this.#inTrouble) resolve();
      else this.#onWritten(resolve);
      this.#gatherMs = 0;
      this.#schedule();
    });
    this.#send({ kind: 'close' });
    await this.#ended.promise;
    if (!this.#allWritten) this.#options.onTrouble([`Error: ${this.#options.file}: ${CLOSED_UNSETTLED}`]);
  }

  get #waitingBytes(): number {
    return this.#pending.payloadBytes + this.#inFlightBytes;
  }

  #schedule(): void {
    if (this.#inFlight !== null) return this.#watchLoad();
    if (this.#pending.size === 0 || this.#isMuch) return this.#hurry();
    const isAsked = this.#waiting.length > 0;
    const unasked = this.#tails.isReading ? UNASKED_WHILE_READING_MS : UNASKED_MS;
    const wait = Math.max(this.#gatherMs, isAsked ? (this.#pending.fleeting > 0 ? FLEETING_MS : 0) : unasked);
    if (wait === 0) this.#hurry();
    else this.#within(wait);
  }

  /** Sooner, if it was to be later. */
  #within(milliseconds: number): void {
    const due = performance.now() + milliseconds;
    if (this.#timer !== null && this.#due <= due) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#due = due;
    this.#timer = setTimeout(() => this.#hurry(), milliseconds);
  }

  get #isMuch(): boolean {
    return this.#pending.size > EARLY_CHANGES || this.#pending.payloadBytes > EARLY_BYTES;
  }

  /** At the end of this turn, whatever the interval. */
  #hurry(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (this.#inFlight === null) this.#handOver();
    });
  }

  #watchLoad(): void {
    if (this.#toldOverload || !this.overloaded) return;
    this.#toldOverload = true;
    this.#options.onTrouble([
      `Warning: ${this.#options.file}: ${this.#pending.size} changes with ${this.#waitingBytes} bytes wait for the disk.`,
      '  The disk is slower than the messages come, or does not take them at all. Who publishes is not read until it does.',
    ]);
  }

  /** Gives the worker what has gathered; what has come to nothing meanwhile is settled without it. */
  #handOver(): void {
    const { size } = this.#pending;
    const callbacks = this.#waiting;
    this.#waiting = [];
    if (size === 0) {
      callBack(callbacks);
      return this.#tails.committed();
    }
    const batch = this.#pending.take(this.#options.now(), this.#options.propertiesToJson);
    this.#tails.handedOver();
    this.#inFlight = callbacks;
    this.#inFlightBytes = batch.bytes.length;
    this.#handedOverAt = performance.now();
    this.#rowsWritten += size;
    this.#send({ kind: 'batch', batch }, [batch.bytes.buffer]);
  }

  #receive(reply: WorkerReply): void {
    if (reply.kind === 'settled') this.#settle();
    else if (reply.kind === 'page') {
      this.#tails.received(reply);
      if (this.#pending.size > 0) this.#schedule();
    } else if (reply.kind === 'expired') {
      this.#tails.expired(reply);
      if (this.#pending.size > 0) this.#schedule();
    } else if (reply.kind === 'trouble') {
      this.#inTrouble = true;
      this.#options.onTrouble(reply.lines);
      this.#giveUp?.();
    } else if (reply.kind === 'healed') {
      this.#inTrouble = false;
      this.#options.onHealed(reply.lines);
    }
  }

  #settle(): void {
    const callbacks = this.#inFlight!;
    this.#inFlight = null;
    this.#inFlightBytes = 0;
    this.#commits++;
    this.#commitSeconds += (performance.now() - this.#handedOverAt) / 1000;
    if (!this.overloaded) this.#toldOverload = false;
    this.#pending.settled();
    this.#tails.committed();
    // The next batch first: it is written while the callbacks run, and what they tell goes into the one after it. When
    // there is nothing to write, those who wait for the next are called in their turn, behind these.
    const isAsked = this.#waiting.length > 0 && this.#pending.size > 0;
    if (isAsked && this.#gatherMs === 0 && this.#pending.fleeting === 0) this.#handOver();
    callBack(callbacks);
    if (this.#pending.size + this.#waiting.length > 0) this.#schedule();
  }

  #workerFailed(error: Error): void {
    this.#inTrouble = true;
    this.#giveUp?.();
    this.#options.onTrouble([
      `Error: ${this.#options.file}: the store's thread has failed: ${error.stack ?? error.message}`,
      '  Nothing is acknowledged at QoS 1 and 2 any more. Restart the broker, and please report this.',
    ]);
  }

  #send(request: WorkerRequest, transfer: ArrayBuffer[] = []): void {
    this.#worker.postMessage(request, transfer);
  }
}

function callBack(callbacks: readonly (() => void)[]): void {
  for (const then of callbacks) then();
}
