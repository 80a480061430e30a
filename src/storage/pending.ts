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
  /** Payload bytes that no batch has taken yet. */
  payloadBytes = 0;

  readonly #dirtyRows = new Set<QueueRow>();
  readonly #dirtyClients = new Set<ClientRows>();
  readonly #dirtyRetained = new Set<RetainedRow>();
  #wipedClients = new Set<string>();
  #removedRows: number[] = [];
  #removedMessages: number[] = [];
  #removedSilentExchanges: (string | number)[] = [];

  /** Rows that differ from what has been handed over. */
  get size(): number {
    const written = this.#dirtyRows.size + this.#dirtyClients.size + this.#dirtyRetained.size;
    const removed = this.#removedRows.length + this.#removedMessages.length + this.#removedSilentExchanges.length;
    return written + removed + this.#wipedClients.size;
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
    if (client.stored) this.#wipedClients.add(clientId);
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
    }
    this.#dirtyRows.add(row);
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
    if (before !== null) this.release(before);
    this.#dirtyRetained.add(row);
  }

  removeRetained(topicName: string): void {
    const row = this.retained.get(topicName);
    if (row === undefined || row.message === null) return;
    this.changes++;
    this.release(row.message);
    row.message = null;
    if (row.stored) this.#dirtyRetained.add(row);
    else {
      this.#dirtyRetained.delete(row);
      this.retained.delete(topicName);
    }
  }

  /** One user of the message less; with the last one the message itself goes. */
  release(row: MessageRow): void {
    row.uses--;
    if (row.uses === 0) this.removeMessage(row);
  }

  removeMessage(row: MessageRow): void {
    this.messages.delete(row.message);
    if (row.stored) this.#removedMessages.push(row.id);
    else this.payloadBytes -= row.message.payload.length;
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
    batch.removedRows = this.#removedRows;
    batch.removedMessages = this.#removedMessages;
    batch.removedSilentExchanges = this.#removedSilentExchanges;
    this.#wipedClients = new Set();
    this.#removedRows = [];
    this.#removedMessages = [];
    this.#removedSilentExchanges = [];
    for (const client of this.#dirtyClients) writer.client(client);
    for (const row of this.#dirtyRows) writer.row(row);
    for (const row of this.#dirtyRetained) {
      writer.retained(row);
      if (row.message === null) this.retained.delete(row.topicName);
    }
    this.#dirtyClients.clear();
    this.#dirtyRows.clear();
    this.#dirtyRetained.clear();
    this.payloadBytes = 0;
    return writer.finish();
  }

  #client(clientId: string): ClientRows {
    let client = this.clients.get(clientId);
    if (client === undefined) this.clients.set(clientId, (client = newClientRows(clientId, false)));
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
    this.release(row.message);
    if (!row.stored) return;
    if (row.delivery !== null || row.deliver) this.#removedRows.push(row.row);
    else this.#removedSilentExchanges.push(row.client.clientId, row.packetId);
  }
}
