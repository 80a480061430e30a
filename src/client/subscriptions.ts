/** SUBSCRIBE and UNSUBSCRIBE waiting for their answer, and the filters to subscribe again on a connection without session. */
import { NO_PROPERTIES, type Properties, type Suback, type SubscribeItem } from '../codec/mod.ts';
import { ClientError } from './client-error.ts';
import type { Connection } from './connection.ts';
import type { Qos } from './options.ts';
import type { PacketIds } from './packet-ids.ts';

export interface SubscribeOptions {
  qos?: Qos;
  /** The three of MQTT 5. */
  noLocal?: boolean;
  retainAsPublished?: boolean;
  retainHandling?: 0 | 1 | 2;
  properties?: Properties;
}

export interface Granted {
  packetId: number;
  /** One per filter, in order; empty for an UNSUBACK of MQTT 3.x. */
  reasonCodes: readonly number[];
  properties: Readonly<Properties>;
}

interface Pending {
  filters: readonly string[];
  resolve: (granted: Granted) => void;
  reject: (error: ClientError) => void;
}

interface Remembered {
  item: SubscribeItem;
  properties: Readonly<Properties>;
}

export class Subscriptions {
  private readonly ids: PacketIds;
  private readonly pending = new Map<number, Pending>();
  private readonly remembered = new Map<string, Remembered>();

  constructor(ids: PacketIds) {
    this.ids = ids;
  }

  subscribe(filters: readonly string[], options: SubscribeOptions, connection: Connection): Promise<Granted> {
    const items = filters.map(topicFilter => ({
      topicFilter,
      qos: options.qos ?? 0,
      noLocal: options.noLocal ?? false,
      retainAsPublished: options.retainAsPublished ?? false,
      retainHandling: options.retainHandling ?? 0,
    }));
    const properties = options.properties ?? NO_PROPERTIES;
    for (const item of items) this.remembered.set(item.topicFilter, { item, properties });
    return this.ask(filters, packetId => connection.sendSubscribe({ packetId, properties, items }));
  }

  unsubscribe(topicFilters: readonly string[], properties: Properties, connection: Connection): Promise<Granted> {
    for (const filter of topicFilters) this.remembered.delete(filter);
    const packet = { properties, topicFilters: [...topicFilters] };
    return this.ask(topicFilters, packetId => connection.sendUnsubscribe({ packetId, ...packet }));
  }

  /** Everything again: the broker has forgotten. Filters with the same properties share a packet. */
  renew(connection: Connection): void {
    const byProperties = new Map<Readonly<Properties>, SubscribeItem[]>();
    for (const { item, properties } of this.remembered.values()) {
      const items = byProperties.get(properties) ?? [];
      items.push(item);
      byProperties.set(properties, items);
    }
    for (const [properties, items] of byProperties) {
      const filters = items.map(item => item.topicFilter);
      // An end of the connection before the answer is dealt with by the next renewal.
      this.ask(filters, packetId => connection.sendSubscribe({ packetId, properties, items })).catch(() => undefined);
    }
  }

  acknowledged({ packetId, properties, reasonCodes }: Suback): void {
    const asked = this.pending.get(packetId);
    if (asked === undefined) return;
    this.pending.delete(packetId);
    this.ids.release(packetId);
    asked.resolve({ packetId, reasonCodes, properties });
  }

  failAll(error: ClientError): void {
    for (const [packetId, asked] of this.pending) {
      this.ids.release(packetId);
      asked.reject(error);
    }
    this.pending.clear();
  }

  private ask(filters: readonly string[], send: (packetId: number) => void): Promise<Granted> {
    return new Promise((resolve, reject) => {
      const packetId = this.ids.take();
      if (packetId === null) return reject(noIdentifier());
      this.pending.set(packetId, { filters, resolve, reject });
      send(packetId);
    });
  }
}

function noIdentifier(): ClientError {
  return new ClientError({
    code: 'client.no-packet-id',
    kind: 'queue-full',
    message: 'All 65,535 packet identifiers are in use.',
  });
}
