/** The bridges of a broker: loaded when there are some, told of by $SYS topics. */
import { hostname } from 'node:os';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Bridges } from '../bridge/mod.ts';
import { type Broker, viewOf } from '../broker/mod.ts';
import type { BridgeFacts, Log } from '../broker/ports.ts';
import type { Settings } from '../conf/mod.ts';
import { bridgeTopics } from '../observability/mod.ts';

/** How often what has changed is told below $SYS/zancudo/bridges. */
const TELL_MS = 1_000;

export class BridgeOffice {
  private readonly broker: Broker;
  private readonly log: Log;
  private bridges: Bridges | null = null;
  private timer: NodeJS.Timeout | undefined;
  private readonly told = new Map<string, string>();

  constructor(broker: Broker, log: Log) {
    this.broker = broker;
    this.log = log;
  }

  /** Before the listeners are open. */
  async prepare(settings: Settings): Promise<void> {
    if (settings.bridges.length > 0) await (await this.load()).prepare(settings.bridges);
  }

  start(): void {
    this.bridges?.start();
  }

  async reload(settings: Settings): Promise<string[]> {
    if (settings.bridges.length === 0 && this.bridges === null) return [];
    return (await this.load()).reload(settings.bridges);
  }

  facts(): BridgeFacts[] {
    return this.bridges?.facts() ?? [];
  }

  /** Resolves when the last words to the other brokers are on their way. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    if (this.bridges === null) return;
    this.bridges.stop();
    await nextTurn();
  }

  private async load(): Promise<Bridges> {
    if (this.bridges !== null) return this.bridges;
    const { Bridges } = await import('../bridge/mod.ts');
    const { broker, log } = this;
    const view = viewOf(broker);
    this.bridges = new Bridges({
      log,
      hostname: hostname(),
      brokerId: broker.id,
      accept: (link, peer) => void broker.accept(link, peer),
      publish: (topic, payload) => broker.publish(topic, Buffer.from(payload), { qos: 1, retain: true }),
      session: clientId => {
        const found = view.session(clientId);
        if (found === null) return null;
        const { queued, inflight, filters } = found;
        return { queued, inflight, filters: filters.map(({ filter }) => filter) };
      },
      forget: clientId => void view.forget(clientId),
      tracing: () => broker.tracing,
      judgeStaple: async (staple, leaf, issuer) => {
        const { objectionToStaple } = await import('../pki/mod.ts');
        return objectionToStaple(staple, leaf, issuer, Date.now());
      },
      inflightMax: () => broker.settings.maxInflightMessages,
      packetBytesMax: () => broker.settings.maxPacketSizeBytes || 268_435_460,
    });
    this.timer = setInterval(() => this.tell(), TELL_MS);
    return this.bridges;
  }

  /** Only what has changed; what a bridge that is gone has told is taken back. */
  private tell(): void {
    if (this.bridges === null) return;
    const now = bridgeTopics(this.bridges.facts());
    for (const [topic, payload] of now) {
      if (this.told.get(topic) === payload) continue;
      this.told.set(topic, payload);
      this.publish(topic, payload);
    }
    for (const topic of [...this.told.keys()]) {
      if (now.has(topic)) continue;
      this.told.delete(topic);
      this.publish(topic, '');
    }
  }

  private publish(topic: string, payload: string): void {
    this.broker.publish(topic, Buffer.from(payload), { qos: 2, retain: true });
  }
}
