/**
 * What a message costs in the heart alone: no socket, no kernel, no other process, so that a few nanoseconds show on a
 * busy machine, too.
 *
 *   node --max-semi-space-size=1 bench/heart.ts [QOS] [WAITING] [PAYLOAD]      ns of CPU a message, the collector included
 *
 * Ten pairs of clients; WAITING messages of each pair are on their way at a time (20 in flight, the others queued), as a
 * generator that keeps its windows full has them. The best of many short rounds counts: the others had company.
 */
import { Broker, defaultBrokerSettings } from '../src/broker/mod.ts';
import type { AccessControl, Link, LinkHandler, ListenerRules, Peer } from '../src/broker/ports.ts';
import { encodeConnect, encodePublish, encodeSubscribe } from '../src/codec/mod.ts';
import { createMeter } from '../src/observability/mod.ts';
import { MemoryStore } from '../src/storage/mod.ts';

const PAIRS = 10;
const BURST = 20;
const ROUND_MESSAGES = 40_000;
const ROUNDS = 40;

const [qosArg = '1', waitingArg = '200', payloadArg = '64'] = process.argv.slice(2);
const qos = Number(qosArg) as 0 | 1 | 2;
const waiting = Number(waitingArg);

const rules = {
  ...{ name: 'bench', port: 1883, host: null, unixPath: null, protocol: 'mqtt' as const, mountPoint: '' },
  ...{ acceptProtocolVersions: [3, 4, 5] as const, allowAnonymous: true, allowZeroLengthClientId: true },
  ...{ autoIdPrefix: 'auto-', maxConnections: -1, maxQos: 2 as const, maxTopicAlias: 10, maxTopicAliasBroker: 10 },
  ...{ persistence: true, requireCertificate: false, requestCertificate: false, useIdentityAsUsername: false },
  ...{ useSubjectAsUsername: false, useUsernameAsClientId: false },
} as unknown as ListenerRules;

const access: AccessControl = {
  generation: 1,
  readsUnrestricted: false,
  authenticate: () => ({ allowed: true }),
  enhanced: () => null,
  mayWrite: () => true,
  mayRead: () => true,
  maySubscribe: () => true,
  mayUnsubscribe: () => true,
  explain: () => ({ allowed: true, because: 'everybody may', tried: [] }),
};

const deaf: LinkHandler = { onBytes() {}, onDrain() {}, onClose() {} };
const PUBLISH = 3;
const ANSWERS: Record<number, number> = { 5: 0x62, 6: 0x70 };

/** One client: it answers whatever asks for an answer, when it is told to. */
class Client implements Link {
  handler = deaf;
  readonly pendingBytes = 0;
  readonly pendingWrites = 0;
  readonly blocked = false;
  arrived = 0;
  answered = 0;
  private answers = Buffer.allocUnsafe(65_536);
  private filled = 0;

  write(bytes: Buffer, start: number, end: number): void {
    for (let at = start; at < end;) at = this.take(bytes, at);
  }

  /** The answers so far, in memory that the broker may keep. */
  answer(): void {
    if (this.filled === 0) return;
    const chunk = Buffer.allocUnsafeSlow(this.filled);
    this.answers.copy(chunk, 0, 0, this.filled);
    this.filled = 0;
    this.handler.onBytes(chunk);
  }

  private take(bytes: Buffer, at: number): number {
    const type = bytes[at]! >> 4;
    let length = bytes[at + 1]!;
    let start = at + 2;
    if (length >= 0x80) length = (length & 0x7f) | (bytes[start++]! << 7);
    if (type === PUBLISH) this.taken(bytes, at, start);
    else if (type === 4 || type === 7) this.answered++;
    else if (ANSWERS[type] !== undefined) this.say(ANSWERS[type], bytes[start]!, bytes[start + 1]!);
    return start + length;
  }

  private taken(bytes: Buffer, at: number, start: number): void {
    this.arrived++;
    const given = (bytes[at]! >> 1) & 3;
    if (given === 0) return;
    const id = start + 2 + ((bytes[start]! << 8) | bytes[start + 1]!);
    this.say(given === 1 ? 0x40 : 0x50, bytes[id]!, bytes[id + 1]!);
  }

  private say(first: number, high: number, low: number): void {
    const { answers } = this;
    answers[this.filled++] = first;
    answers[this.filled++] = 2;
    answers[this.filled++] = high;
    answers[this.filled++] = low;
  }

  pause(): void {}
  resume(): void {}
  flush(): void {}
  end(): void {}
  destroy(): void {}
}

const broker = new Broker(
  { ...defaultBrokerSettings, maxQueuedMessages: 0 },
  {
    clock: { now: () => performance.now(), wall: () => Date.now() },
    log: { debug: false, subscribe: false, unsubscribe: false, connections: false, write: () => {} },
    meter: createMeter(),
    access,
    store: new MemoryStore(),
    uuid: () => '0',
  },
);

function connect(clientId: string): Client {
  const client = new Client();
  const peer = { address: '127.0.0.1', port: 1, listener: rules, tls: null, certificate: null } as unknown as Peer;
  broker.accept(client, { ...peer, pskIdentity: null, proxiedCommonName: null, refusal: null });
  const will = null;
  client.handler.onBytes(
    encodeConnect({ ...{ version: 4, bridge: false, cleanStart: true, keepAlive: 0, clientId }, ...{ username: null, password: null, will, properties: {} } }),
  ); // prettier-ignore
  return client;
}

const nothing = Buffer.alloc(0);
const payload = Buffer.alloc(Number(payloadArg), 120);

function packetOf(topic: string, packetId: number): Buffer {
  return encodePublish({
    ...{ version: 4, qos, dup: false, retain: false, topic: Buffer.from(topic), packetId, properties: nothing },
    ...{ messageExpiryInterval: 0, topicAlias: 0, subscriptionIdentifier: 0 },
    ...{ payload, payloadStart: 0, payloadEnd: payload.length },
  });
}

class Pair {
  sent = 0;
  readonly publisher: Client;
  readonly subscriber: Client;
  private readonly packet: Buffer;
  private readonly idAt: number;

  constructor(at: number) {
    const topic = `bench/${String(at).padStart(6, '0')}`;
    this.subscriber = connect(`s${at}`);
    const item = { topicFilter: topic, qos, noLocal: false, retainAsPublished: false, retainHandling: 0 as const };
    this.subscriber.handler.onBytes(encodeSubscribe({ packetId: 1, properties: {}, items: [item] }, 4));
    this.publisher = connect(`p${at}`);
    this.packet = packetOf(topic, 1);
    this.idAt = this.packet.length - payload.length - 2;
  }

  get onTheWay(): number {
    return this.sent - this.subscriber.arrived;
  }

  send(count: number): void {
    const { packet } = this;
    const chunk = Buffer.allocUnsafeSlow(packet.length * count);
    for (let i = 0; i < count; i++) {
      packet.copy(chunk, i * packet.length);
      this.sent++;
      if (qos === 0) continue;
      const id = 1 + (this.sent % 0xffff);
      chunk[i * packet.length + this.idAt] = id >> 8;
      chunk[i * packet.length + this.idAt + 1] = id & 0xff;
    }
    this.publisher.handler.onBytes(chunk);
  }
}

const pairs = Array.from({ length: PAIRS }, (_, at) => new Pair(at));
const received = (): number => pairs.reduce((sum, { subscriber }) => sum + subscriber.arrived, 0);

function turn(): void {
  for (const pair of pairs) {
    if (qos === 0) pair.send(BURST);
    else while (pair.onTheWay + BURST <= waiting) pair.send(BURST);
    pair.publisher.answer();
  }
  for (const { subscriber } of pairs) subscriber.answer();
  broker.turnEnded(0, false, Infinity);
}

let best = Infinity;
for (let round = 0; round < ROUNDS; round++) {
  const until = received() + ROUND_MESSAGES;
  const before = received();
  const from = process.cpuUsage();
  while (received() < until) turn();
  const { user, system } = process.cpuUsage(from);
  best = Math.min(best, (1000 * (user + system)) / (received() - before));
}
process.stdout.write(`QoS ${qos}, ${waiting} waiting, ${payload.length} bytes: ${best.toFixed(0)} ns a message\n`);
process.exit(0);
