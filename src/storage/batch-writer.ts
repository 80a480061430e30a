/** BatchWriter turns rows and the heart's objects behind them into the cells of one Batch (protocol.ts). */
import type { StoredSession, StoredSubscription, StoredWill } from '../broker/ports.ts';
import { deliveryState, exchangeState, placeholderPacketId, subscriptionOptions } from './columns.ts';
import type { Batch } from './protocol.ts';
import { type ClientRows, fullFilter, type MessageRow, type QueueRow, type RetainedRow } from './rows.ts';

export class BatchWriter {
  readonly batch: Batch = emptyBatch();
  /** Unix second. */
  readonly #now: number;
  readonly #propertiesToJson: (bytes: Buffer) => string | null;
  readonly #messagePayloads: Buffer[] = [];
  readonly #willPayloads: Buffer[] = [];

  constructor(now: number, propertiesToJson: (bytes: Buffer) => string | null) {
    this.#now = now;
    this.#propertiesToJson = propertiesToJson;
  }

  /** Payloads are copied here, once: they are views of larger buffers that stay on this thread. */
  finish(): Batch {
    const payloads = [...this.#messagePayloads, ...this.#willPayloads];
    this.batch.bytes = new Uint8Array(payloads.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const payload of payloads) {
      this.batch.bytes.set(payload, at);
      at += payload.length;
    }
    return this.batch;
  }

  client(client: ClientRows): void {
    client.stored = true;
    if (client.session !== null) this.#session(client.session);
    client.session = null;
    for (const [filter, subscription] of client.subscriptions) this.#subscription(client, filter, subscription);
    client.subscriptions.clear();
  }

  row(row: QueueRow): void {
    if (row.delivery === null) this.#exchange(row);
    else this.#delivery(row, row.delivery);
    row.stored = true;
    row.client.stored = true;
  }

  retained(row: RetainedRow): void {
    if (row.message === null) {
      this.batch.removedRetained.push(row.topicName);
      return;
    }
    this.#message(row.message);
    this.batch.retained.push(row.topicName, row.message.id);
    row.stored = true;
  }

  #message(row: MessageRow): void {
    if (row.stored) return;
    row.stored = true;
    const { topicName, payload, properties, qos, retain, expiresAt, publisher } = row.message;
    const json = properties.length === 0 ? null : this.#propertiesToJson(properties);
    this.batch.messages.push(row.id, expiresAt, topicName, payload.length);
    if (publisher === null) this.batch.messages.push('', null, 0);
    else this.batch.messages.push(publisher.clientId, publisher.username, publisher.listener.port);
    this.batch.messages.push(qos, retain ? 1 : 0, json);
    this.#messagePayloads.push(payload);
  }

  #delivery(row: QueueRow, delivery: NonNullable<QueueRow['delivery']>): void {
    const { qos, retain, packetId, dup, subscriptionIdentifier } = delivery;
    const mid = packetId === 0 && qos > 0 ? placeholderPacketId(row.row) : packetId;
    const state = deliveryState(delivery);
    if (row.stored) {
      this.batch.rowUpdates.push(row.row, dup ? 1 : 0, mid, state);
      return;
    }
    this.#message(row.message);
    const { rows } = this.batch;
    rows.push(row.row, row.client.clientId, delivery.message.payload.length, row.message.id, dup ? 1 : 0, 1);
    rows.push(mid, qos, retain ? 1 : 0, state, subscriptionIdentifier);
  }

  #exchange(row: QueueRow): void {
    if (row.stored) return;
    this.#message(row.message);
    const { clientId } = row.client;
    if (!row.deliver) {
      this.batch.silentExchanges.push(clientId, row.packetId, row.message.id);
      return;
    }
    const { qos, retain, payload } = row.message.message;
    this.batch.rows.push(row.row, clientId, payload.length, row.message.id, 0, 0);
    this.batch.rows.push(row.packetId, qos, retain ? 1 : 0, exchangeState, 0);
  }

  #subscription(client: ClientRows, filter: string, subscription: StoredSubscription | null): void {
    const mountPoint = subscription?.mountPoint ?? '';
    const full = fullFilter(filter, mountPoint);
    const before = client.mounted?.get(filter) ?? filter;
    if (subscription === null || before !== full) this.batch.removedSubscriptions.push(client.clientId, before);
    client.mounted?.delete(filter);
    if (subscription === null) return;
    if (mountPoint !== '') (client.mounted ??= new Map()).set(filter, full);
    const options = subscriptionOptions(subscription);
    this.batch.subscriptions.push(client.clientId, full, options, subscription.identifier, mountPoint);
  }

  #session(session: StoredSession): void {
    const { clientId, username, listenerPort, version, expiryInterval, endsAt, will } = session;
    this.batch.sessions.push(clientId, username, listenerPort, version, expiryInterval, endsAt);
    this.batch.sessions.push(will?.delayInterval ?? 0, will?.dueAt ?? 0, will?.messageExpiryInterval ?? -1, this.#now);
    if (will !== null) this.#will(clientId, will);
  }

  #will(clientId: string, { topicName, payload, qos, retain, properties }: StoredWill): void {
    const json = properties.length === 0 ? null : this.#propertiesToJson(properties);
    this.batch.wills.push(clientId, topicName, payload.length, qos, retain ? 1 : 0, json);
    this.#willPayloads.push(payload);
  }
}

function emptyBatch(): Batch {
  return {
    wipedClients: [],
    wipedTails: [],
    removedRows: [],
    removedSubscriptions: [],
    removedRetained: [],
    removedSilentExchanges: [],
    messages: [],
    rows: [],
    rowUpdates: [],
    silentExchanges: [],
    retained: [],
    subscriptions: [],
    sessions: [],
    wills: [],
    bytes: new Uint8Array(0),
  };
}
