/**
 * Restored builds the heart's state from the rows of the file, and keeps for each object which row it came from, until
 * the heart has said which objects of its own stand for them.
 *
 *   chunks ──> add() ──> state ──> the heart ──> adopt(given, ours) … forgetUnadopted()
 */
import type { StoredDelivery, StoredMessage, StoredSubscription, StoredState } from '../broker/ports.ts';
import { qosOf, stateOfRow } from './columns.ts';
import { messageFromCells, number } from './message-cells.ts';
import type { Pending } from './pending.ts';
import type { Cell, StateChunk } from './protocol.ts';
import { type ClientRows, type MessageRow, newClientRows, type QueueRow, withoutMountPoint } from './rows.ts';

type StoredSessionState = StoredState['sessions'][number];

export class Restored {
  readonly state: StoredState = { sessions: [], retained: [] };
  /** Rows that make no sense and were passed over. */
  unusable = 0;
  readonly #pending: Pending;
  readonly #propertiesFromJson: (text: string) => Buffer;
  readonly #messagesById = new Map<number, MessageRow>();
  readonly #sessions = new Map<string, StoredSessionState>();
  /** What nobody has adopted yet. */
  readonly #messages = new Map<StoredMessage, MessageRow>();
  readonly #deliveries = new Map<StoredDelivery, QueueRow>();

  constructor(pending: Pending, propertiesFromJson: (text: string) => Buffer) {
    this.#pending = pending;
    this.#propertiesFromJson = propertiesFromJson;
  }

  add({ table, cells, bytes }: StateChunk): void {
    const width = chunkWidth[table];
    let at = 0;
    for (let i = 0; i < cells.length; i += width) {
      const row = cells.slice(i, i + width);
      const length = hasPayload.has(table) ? (row[width - 1] as number) : 0;
      const payload = length === 0 ? NO_BYTES : Buffer.from(bytes.buffer, at, length);
      at += length;
      if (!this.#read(table, row, payload)) this.unusable++;
    }
  }

  /** The heart's object stands for the given one from now on. */
  adopt(given: object, ours: object): void {
    const message = this.#messages.get(given as StoredMessage);
    if (message !== undefined) {
      this.#messages.delete(given as StoredMessage);
      message.message = ours as StoredMessage;
      this.#pending.messages.set(message.message, message);
    }
    const row = this.#deliveries.get(given as StoredDelivery);
    if (row === undefined) return;
    this.#deliveries.delete(given as StoredDelivery);
    row.delivery = ours as StoredDelivery;
    row.client.deliveries.set(row.delivery, row);
  }

  /** What nobody adopted has no use: its rows go, and with a message everything that points to it. */
  forgetUnadopted(): void {
    const orphans = new Set(this.#messages.values());
    for (const row of this.#deliveries.values()) this.#pending.removeRow(row);
    for (const { topicName, message } of this.#pending.retained.values()) {
      if (message !== null && orphans.has(message)) this.#pending.removeRetained(topicName);
    }
    for (const { clientId, exchanges } of this.#pending.clients.values()) {
      for (const { packetId, message } of exchanges.values()) {
        if (orphans.has(message)) this.#pending.removeExchange(clientId, packetId);
      }
    }
    this.#messages.clear();
    this.#deliveries.clear();
    this.#messagesById.clear();
    this.#sessions.clear();
  }

  #read(table: StateChunk['table'], row: Cell[], payload: Buffer): boolean {
    switch (table) {
      case 'messages':
        return this.#message(row, payload);
      case 'retained':
        return this.#retained(row);
      case 'sessions':
        return this.#session(row);
      case 'wills':
        return this.#will(row, payload);
      case 'subscriptions':
        return this.#subscription(row);
      case 'rows':
        return this.#row(row);
      case 'tails':
        return this.#tail(row);
      case 'silentExchanges':
        return this.#silentExchange(row);
    }
  }

  #message(cells: Cell[], payload: Buffer): boolean {
    const [id] = cells;
    const message = messageFromCells(cells, 1, payload, this.#propertiesFromJson);
    if (typeof id !== 'number' || message === null) return false;
    const row: MessageRow = { id, message, uses: 0, stored: true };
    this.#messagesById.set(id, row);
    this.#messages.set(message, row);
    return true;
  }

  #retained([topicName, id]: Cell[]): boolean {
    const message = this.#messagesById.get(number(id));
    if (message === undefined || message.message.topicName !== topicName) return false;
    message.uses++;
    this.#pending.retained.set(topicName, { topicName, message, stored: true });
    this.state.retained.push(message.message);
    return true;
  }

  #session([clientId, username, port, version, interval, endsAt, ...will]: Cell[]): boolean {
    if (typeof clientId !== 'string') return false;
    const session: StoredSessionState = {
      clientId,
      username: typeof username === 'string' ? username : null,
      listenerPort: number(port),
      version: version === 3 || version === 5 ? version : 4,
      expiryInterval: number(interval) >>> 0,
      endsAt: number(endsAt),
      will: null,
      subscriptions: [],
      deliveries: [],
      waiting: { messages: 0, payloadBytes: 0 },
      exchanges: [],
    };
    this.state.sessions.push(session);
    this.#sessions.set(clientId, session);
    this.#pending.clients.set(clientId, newClientRows(clientId, true, 0));
    this.#willTimes.set(clientId, will);
    return true;
  }

  /** Delay, due time and message expiry of a session's will, in case that it has one. */
  readonly #willTimes = new Map<string, Cell[]>();

  #will([clientId, topicName, qos, retain, properties]: Cell[], payload: Buffer): boolean {
    const session = this.#sessions.get(clientId as string);
    if (session === undefined || typeof topicName !== 'string' || topicName === '') return false;
    const [delay, due, expiry] = this.#willTimes.get(session.clientId)!;
    session.will = {
      topicName,
      payload,
      properties: this.#propertiesOf(properties),
      qos: qosOf(qos),
      retain: retain === 1,
      delayInterval: number(delay) >>> 0,
      messageExpiryInterval: typeof expiry === 'number' ? expiry : -1,
      dueAt: number(due),
    };
    return true;
  }

  #subscription([clientId, full, options, identifier, mount]: Cell[]): boolean {
    const session = this.#sessions.get(clientId as string);
    if (session === undefined || typeof full !== 'string' || full === '') return false;
    const mountPoint = typeof mount === 'string' ? mount : '';
    const filter = withoutMountPoint(full, mountPoint);
    const flags = number(options);
    const subscription: StoredSubscription = {
      filter,
      mountPoint,
      qos: qosOf(flags & 3),
      noLocal: (flags & 4) !== 0,
      retainAsPublished: (flags & 8) !== 0,
      identifier: number(identifier),
    };
    session.subscriptions.push(subscription);
    if (mountPoint !== '') (this.#clientRows(session).mounted ??= new Map()).set(filter, full);
    return true;
  }

  #row([row, clientId, storeId, dup, direction, mid, qos, retain, state, identifier]: Cell[]): boolean {
    const session = this.#sessions.get(clientId as string);
    const message = this.#messagesById.get(number(storeId));
    if (session === undefined || message === undefined) return false;
    if (direction === 0) return this.#exchange(session, message, number(row), number(mid), true);
    const deliveryQos = qosOf(qos);
    const sent = mid === 0 ? 0 : stateOfRow(deliveryQos, number(state));
    const delivery: StoredDelivery = {
      message: message.message,
      qos: deliveryQos,
      retain: retain === 1,
      subscriptionIdentifier: number(identifier),
      packetId: sent === 0 ? 0 : number(mid),
      state: sent,
      dup: dup === 1,
    };
    message.uses++;
    const client = this.#clientRows(session);
    this.#deliveries.set(delivery, queueRow(number(row), client, message, delivery, 0, true));
    session.deliveries.push(delivery);
    return true;
  }

  #tail([clientId, messages, payloadBytes, cursor]: Cell[]): boolean {
    const session = this.#sessions.get(clientId as string);
    // A session that has ended may have left rows that are still to be removed.
    if (session === undefined) return true;
    session.waiting = { messages: number(messages), payloadBytes: number(payloadBytes) };
    const { tail } = this.#clientRows(session);
    tail.rows = number(messages);
    tail.cursor = number(cursor);
    return true;
  }

  #silentExchange([clientId, packetId, storeId]: Cell[]): boolean {
    const session = this.#sessions.get(clientId as string);
    const message = this.#messagesById.get(number(storeId));
    return (
      session !== undefined && message !== undefined && this.#exchange(session, message, 0, number(packetId), false)
    );
  }

  #exchange(
    session: StoredSessionState,
    message: MessageRow,
    row: number,
    packetId: number,
    deliver: boolean,
  ): boolean {
    const client = this.#clientRows(session);
    if (packetId === 0 || client.exchanges.has(packetId)) return false;
    message.uses++;
    client.exchanges.set(packetId, queueRow(row, client, message, null, packetId, deliver));
    session.exchanges.push({ packetId, message: message.message, deliver });
    return true;
  }

  #clientRows({ clientId }: StoredSessionState): ClientRows {
    return this.#pending.clients.get(clientId)!;
  }

  #propertiesOf(json: Cell | undefined): Buffer {
    return typeof json === 'string' ? this.#propertiesFromJson(json) : NO_BYTES;
  }
}

const NO_BYTES = Buffer.alloc(0);

/** Cells of a row in each kind of chunk; payloads have left their length as the last one. */
const chunkWidth: Record<StateChunk['table'], number> = {
  messages: 10,
  retained: 2,
  sessions: 9,
  wills: 6,
  subscriptions: 5,
  rows: 10,
  tails: 4,
  silentExchanges: 3,
};
const hasPayload = new Set<StateChunk['table']>(['messages', 'wills']);

function queueRow(
  row: number,
  client: ClientRows,
  message: MessageRow,
  delivery: StoredDelivery | null,
  packetId: number,
  deliver: boolean,
): QueueRow {
  return { row, client, message, delivery, packetId, deliver, stored: true };
}
