/**
 * Pending gathers changes until the worker is free for the next batch.
 *
 *   put, put, remove, put … ──> one entry per row that differs from the file ──> take(): one Batch
 *
 * A row that comes and goes between two batches leaves no trace; of several changes of one row the last counts. The
 * heart's objects are read when the batch is taken, at the end of a turn, never in the middle of one.
 */
import type { StoredDelivery, StoredMessage, StoredSession, StoredSubscription } from '../broker/ports.ts';
import { BatchWriter } from './batch-writer.ts';
import type { Batch } from './protocol.ts';
import { type ClientRows, type MessageRow, newClientRows, type QueueRow, type RetainedRow } from './rows.ts';

export class Pending {
  /** Rows that the file has or is about to have. */
  readonly clients = new Map<string, ClientRows>();
  readonly messages = new Map<StoredMessage, MessageRow>();
  readonly retained = new Map<string, RetainedRow>();
  nextRow = 1;
  nextMessage = 1;
  /** Changes told since the start. */
  changes = 0;
  /** Deliveries of tails that no batch has taken yet. */
  appended = 0;
  /** Deliveries that the file has not got, to clients who are there: acknowledged in time, they need never get there. */
  fleeting = 0;
  /** Payload bytes that no batch has taken yet. */
  payloadBytes = 0;

  readonly #dirtyRows = new Set<QueueRow>();
  readonly #dirtyClients = new Set<ClientRows>();
  readonly #dirtyRetained = new Set<RetainedRow>();
  #wipedClients = new Set<string>();
  #wipedTails: (string | number)[] = [];
  #removedRows: number[] = [];
  readonly #grownTails = new Set<ClientRows>();
  /** Messages of the file that nobody points to any more, unless somebody does again before the batch. */
  readonly #unused = new Set<MessageRow>();
  /** Tails with rows in the batch that the worker has; null when it has none. */
  #handedTails: Set<ClientRows> | null = null;
  #removedSilentExchanges: (string | number)[] = [];

  /** Rows that differ from what has been handed over. */
  get size(): number {
    const written = this.#dirtyRows.size + this.appended + this.#dirtyClients.size + this.#dirtyRetained.size;
    const removed = this.#removedRows.length / 2 + this.#removedSilentExchanges.length / 2;
    return written + removed + this.#wipedClients.size + this.#wipedTails.length / 2;
  }

  putSession(session: StoredSession): void {
    this.changes++;
    const client = this.#client(session.clientId);
    client.session = { ...session, will: session.will === null ? null : { ...session.will } };
    this.#dirtyClients.add(client);
  }

  removeSession(clientId: string): void {
    const client = this.clients.get(clientId);
    if (client === undefined) return;
    this.changes++;
    this.clients.delete(clientId);
    this.#dirtyClients.delete(client);
    for (const row of client.deliveries.values()) this.#remove(row);
    for (const row of client.exchanges.values()) this.#remove(row);
    this.#removeTail(client);
    if (client.stored) this.#wipedClients.add(clientId);
  }

  /** Whatever numbers have been given out so far may be this session's; those of a successor are higher. */
  #removeTail({ clientId, tail }: ClientRows): void {
    for (const { message } of tail.appended) this.#release(message);
    this.appended -= tail.appended.length;
    tail.appended = [];
    tail.page = null;
    if (tail.rows > 0) this.#wipedTails.push(clientId, this.nextRow - 1);
  }

  putSubscription(clientId: string, subscription: StoredSubscription): void {
    this.changes++;
    const client = this.#client(clientId);
    client.subscriptions.set(subscription.filter, subscription);
    this.#dirtyClients.add(client);
  }

  removeSubscription(clientId: string, filter: string): void {
    const client = this.clients.get(clientId);
    if (client === undefined) return;
    this.changes++;
    client.subscriptions.set(filter, null);
    this.#dirtyClients.add(client);
  }

  putDelivery(clientId: string, delivery: StoredDelivery): void {
    this.changes++;
    const client = this.#client(clientId);
    let row = client.deliveries.get(delivery);
    if (row === undefined) {
      row = this.#newRow(client, delivery.message, delivery, 0, true);
      client.deliveries.set(delivery, row);
      client.tail.cursor = row.row;
      this.fleeting++;
    }
    this.#dirtyRows.add(row);
  }

  appendDelivery(clientId: string, delivery: StoredDelivery): void {
    this.changes++;
    const client = this.#client(clientId);
    this.#append({
      row: 0,
      client,
      message: this.#use(delivery.message),
      delivery,
      packetId: 0,
      deliver: true,
      stored: false,
    });
  }

  #append(row: QueueRow): void {
    row.client.tail.appended.push(row);
    this.#grownTails.add(row.client);
    this.appended++;
  }

  /** What waits in memory waits in the file from now on; what the file has not got yet is written as part of the tail. */
  stow(clientId: string, deliveries: readonly StoredDelivery[]): void {
    const client = this.clients.get(clientId);
    if (client === undefined) return;
    const { tail } = client;
    tail.page = null;
    const later = tail.appended;
    tail.appended = [];
    this.appended -= later.length;
    let first = true;
    for (const delivery of deliveries) {
      const row = client.deliveries.get(delivery);
      if (row === undefined) continue;
      client.deliveries.delete(delivery);
      this.#dirtyRows.delete(row);
      if (first) tail.cursor = row.stored ? row.row - 1 : this.nextRow - 1;
      first = false;
      if (row.stored) this.#leaveInFile(row);
      else {
        this.fleeting--;
        this.#append(row);
      }
    }
    for (const row of later) this.#append(row);
  }

  /** It may be in the batch that the worker has just now. */
  #leaveInFile({ client, message }: QueueRow): void {
    client.tail.rows++;
    this.#release(message);
    if (this.#handedTails === null) return;
    client.tail.handed++;
    this.#handedTails.add(client);
  }

  /** A row of the file that nobody has in memory. */
  removeTailRow(row: number, message: number): void {
    this.changes++;
    this.#removedRows.push(row, message);
  }

  removeDelivery(clientId: string, delivery: StoredDelivery): void {
    const client = this.clients.get(clientId);
    const row = client?.deliveries.get(delivery);
    if (row === undefined) return;
    client!.deliveries.delete(delivery);
    this.#remove(row);
  }

  putExchange(clientId: string, packetId: number, message: StoredMessage, deliver: boolean): void {
    this.removeExchange(clientId, packetId);
    this.changes++;
    const client = this.#client(clientId);
    const row = this.#newRow(client, message, null, packetId, deliver);
    client.exchanges.set(packetId, row);
    this.#dirtyRows.add(row);
  }

  removeExchange(clientId: string, packetId: number): void {
    const client = this.clients.get(clientId);
    const row = client?.exchanges.get(packetId);
    if (row === undefined) return;
    client!.exchanges.delete(packetId);
    this.#remove(row);
  }

  putRetained(message: StoredMessage): void {
    this.changes++;
    const { topicName } = message;
    let row = this.retained.get(topicName);
    if (row === undefined) this.retained.set(topicName, (row = { topicName, message: null, stored: false }));
    const before = row.message;
    row.message = this.#use(message);
    if (before !== null) this.#release(before);
    this.#dirtyRetained.add(row);
  }

  removeRetained(topicName: string): void {
    const row = this.retained.get(topicName);
    if (row === undefined || row.message === null) return;
    this.changes++;
    this.#release(row.message);
    row.message = null;
    if (row.stored) this.#dirtyRetained.add(row);
    else {
      this.#dirtyRetained.delete(row);
      this.retained.delete(topicName);
    }
  }

  /** One user of the message less. One that is in the file may find another until the batch is taken (QoS 2). */
  #release(row: MessageRow): void {
    row.uses--;
    if (row.uses > 0) return;
    if (row.stored) this.#unused.add(row);
    else {
      this.messages.delete(row.message);
      this.payloadBytes -= row.message.payload.length;
    }
  }

  /** For a row that is in the file and that nobody has taken over after a restart. */
  removeRow(row: QueueRow): void {
    this.#remove(row);
  }

  /** Everything gathered so far, as one batch of this time; what is gathered from now on belongs to the next. */
  take(wall: number, propertiesToJson: (bytes: Buffer) => string | null): Batch {
    const writer = new BatchWriter(Math.floor(wall / 1000), propertiesToJson);
    const { batch } = writer;
    batch.wipedClients = [...this.#wipedClients];
    batch.wipedTails = this.#wipedTails;
    batch.removedRows = this.#removedRows;
    batch.removedSilentExchanges = this.#removedSilentExchanges;
    this.#wipedClients = new Set();
    this.#wipedTails = [];
    this.#removedRows = [];
    this.#removedSilentExchanges = [];
    for (const client of this.#dirtyClients) writer.client(client);
    for (const row of this.#dirtyRows) writer.row(row);
    this.#handedTails = new Set(this.#grownTails);
    for (const client of this.#grownTails) this.#takeTail(client, writer);
    for (const row of this.#dirtyRetained) {
      writer.retained(row);
      if (row.message === null) this.retained.delete(row.topicName);
    }
    this.#dirtyClients.clear();
    this.#dirtyRows.clear();
    this.#dirtyRetained.clear();
    this.#grownTails.clear();
    this.appended = 0;
    this.fleeting = 0;
    const finished = writer.finish();
    for (const row of this.#unused) if (row.uses === 0) this.messages.delete(row.message);
    this.#unused.clear();
    this.payloadBytes = 0;
    return finished;
  }

  /** The batch is in the file. */
  settled(): void {
    for (const { tail } of this.#handedTails ?? []) tail.handed = 0;
    this.#handedTails = null;
  }

  /** Nothing of these is remembered but that they are there. */
  #takeTail({ tail }: ClientRows, writer: BatchWriter): void {
    for (const row of tail.appended) {
      row.row = this.nextRow++;
      writer.row(row);
      this.#release(row.message);
    }
    tail.rows += tail.appended.length;
    tail.handed += tail.appended.length;
    tail.appended = [];
  }

  #client(clientId: string): ClientRows {
    let client = this.clients.get(clientId);
    if (client === undefined) this.clients.set(clientId, (client = newClientRows(clientId, false, this.nextRow - 1)));
    return client;
  }

  #newRow(
    client: ClientRows,
    message: StoredMessage,
    delivery: StoredDelivery | null,
    packetId: number,
    deliver: boolean,
  ): QueueRow {
    return { row: this.nextRow++, client, message: this.#use(message), delivery, packetId, deliver, stored: false };
  }

  #use(message: StoredMessage): MessageRow {
    let row = this.messages.get(message);
    if (row === undefined) {
      this.messages.set(message, (row = { id: this.nextMessage++, message, uses: 0, stored: false }));
      this.payloadBytes += message.payload.length;
    }
    row.uses++;
    return row;
  }

  #remove(row: QueueRow): void {
    this.changes++;
    this.#dirtyRows.delete(row);
    this.#release(row.message);
    if (!row.stored) {
      if (row.delivery !== null) this.fleeting--;
      return;
    }
    if (row.delivery !== null || row.deliver) this.#removedRows.push(row.row, row.message.id);
    else this.#removedSilentExchanges.push(row.client.clientId, row.packetId);
  }
}
