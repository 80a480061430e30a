/**
 * Clients that come, talk and go: each slot is one client identifier, and who sits in it is decided by its number, so that
 * the crowd is the same size and mixture all the time.
 *
 *   every 5th  TLS with a device's certificate      every 4th  a session that outlives its connections
 *   every 2nd  a will                               every 3rd  MQTT 3.1.1 instead of 5
 */
import { setTimeout as pause } from 'node:timers/promises';
import { type Client, connect, type ConnectOptions, type Qos, type TlsOptions } from '../../src/client/mod.ts';

export interface CrowdOptions {
  clients: number;
  /** How long one stays, on average. */
  staysSeconds: number;
  /** One message of each every so many seconds. */
  publishSeconds: number;
  plainPort: number;
  tlsPort: number;
  /** Certificates that are in force, changing as devices are renewed and revoked. */
  kits: () => readonly { name: string; tls: TlsOptions }[];
}

/** Slots that hear each other. */
const GROUP = 4;
const SESSION_SECONDS = 3_600;

export class Crowd {
  readonly #options: CrowdOptions;
  #stop = false;
  #running: Promise<unknown> = Promise.resolve();
  readonly #present = new Map<number, Client>();
  connected = 0;
  published = 0;
  received = 0;
  /** Attempts to connect that failed, by code. */
  readonly failures = new Map<string, number>();

  constructor(options: CrowdOptions) {
    this.#options = options;
  }

  get present(): number {
    return this.#present.size;
  }

  /** They come one after another, not all at once. */
  begin(withinMs: number): void {
    const { clients } = this.#options;
    this.#running = Promise.all(
      Array.from({ length: clients }, (_, slot) => this.#sit(slot, (slot * withinMs) / clients)),
    );
  }

  async end(): Promise<void> {
    this.#stop = true;
    await Promise.all([...this.#present.values()].map(client => client.abort()));
    await this.#running;
  }

  async #sit(slot: number, afterMs: number): Promise<void> {
    await this.#wait(afterMs);
    for (let visit = 0; !this.#stop; visit++) {
      try {
        await this.#visit(slot, visit === 0);
      } catch (error) {
        const { code = 'unknown' } = error as { code?: string };
        this.failures.set(code, (this.failures.get(code) ?? 0) + 1);
        await this.#wait(2_000);
      }
    }
  }

  /** The first is short and ends without a word: what a broker remembers of wills is there when growth begins to count. */
  async #visit(slot: number, isFirst: boolean): Promise<void> {
    const { staysSeconds, publishSeconds } = this.#options;
    const group = groupOf(slot);
    const client = await connect(this.#connectOptions(slot));
    this.#present.set(slot, client);
    this.connected++;
    try {
      await client.subscribe(`${group}/#`, { qos: (slot % 3) as Qos });
      const until = performance.now() + staysSeconds * 1000 * (isFirst ? 0.2 : 0.5 + Math.random());
      while (!this.#stop && client.isOnline && performance.now() < until) {
        await this.#wait(publishSeconds * 1000 * (0.5 + Math.random()));
        if (!client.isOnline || this.#stop) break;
        void client.publish(`${group}/${slot}`, `at ${Date.now()}`, messageOf(slot)).catch(() => undefined);
        this.published++;
      }
      // Half of them go as those do whose battery is empty.
      await (isFirst || Math.random() < 0.5 ? client.abort() : client.disconnect());
    } finally {
      this.#present.delete(slot);
    }
  }

  #connectOptions(slot: number): ConnectOptions {
    const { plainPort, tlsPort, kits } = this.#options;
    const version = slot % 3 === 0 ? 4 : 5;
    const stays = lasts(slot);
    const kit = slot % 5 === 0 ? kits()[(slot / 5) % kits().length]! : null;
    return {
      host: 'localhost',
      port: kit === null ? plainPort : tlsPort,
      version,
      clientId: `crowd-${slot}`,
      cleanStart: !stays,
      keepAliveSeconds: 60,
      connectTimeoutMs: 30_000,
      ...(stays && version === 5 ? { properties: { sessionExpiryInterval: SESSION_SECONDS } } : {}),
      ...(slot % 2 === 0 ? { will: { topic: `${groupOf(slot)}/will`, payload: 'gone', retain: slot % 8 === 0 } } : {}),
      ...(kit === null ? {} : { tls: kit.tls }),
      onMessage: () => void this.received++,
    };
  }

  /** In steps, so that the end need not wait for the longest pause. */
  async #wait(ms: number): Promise<void> {
    const end = performance.now() + ms;
    while (!this.#stop && performance.now() < end) await pause(Math.max(1, Math.min(1_000, end - performance.now())));
  }
}

/** Always the same topics: what the broker remembers of topics is full after a while, and is not to look like growth. */
const groupOf = (slot: number): string => `crowd/${Math.floor(slot / GROUP)}`;

/**
 * Each visit is a new client, which knows nothing of what the one before has begun: a lasting session does not publish at
 * QoS 2, or exchanges would be left open in it until the broker takes no more.
 */
function messageOf(slot: number): { qos: Qos; retain: boolean } {
  const qos = (slot % 3) as Qos;
  return { qos: lasts(slot) && qos === 2 ? 1 : qos, retain: slot % 10 === 0 };
}

const lasts = (slot: number): boolean => slot % 4 === 0;
