/**
 * Numbered messages over a bridge while one of its ends is killed and comes back, and while the line between them is cut
 * and stalls. What was acknowledged to a publisher arrives; at QoS 2 it arrives once.
 */
import assert from 'node:assert/strict';
import { createServer, connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { needs, until } from '../harness/mod.ts';
import { connected, side, watch, type Watcher } from './sides.ts';

/** A session of its own over every reconnection. */
const lasting = (clientId: string, version: 4 | 5) => ({
  clientId,
  clean: false,
  protocolVersion: version,
  ...(version === 5 ? { properties: { sessionExpiryInterval: 3600 } } : {}),
});

const MESSAGES = 400;

/** Publishes the numbers at QoS 1 and 2 in turn, some at a time, whatever happens to the broker meanwhile. */
async function publishAll(publisher: Watcher, topic: string): Promise<void> {
  const waiting: Promise<unknown>[] = [];
  for (let i = 0; i < MESSAGES; i++) {
    waiting.push(publisher.client.publishAsync(`${topic}/${(i % 2) + 1}`, String(i), { qos: ((i % 2) + 1) as 1 | 2 }));
    if (waiting.length >= 10) await waiting.shift();
    if (i % 20 === 0) await pause(5);
  }
  await Promise.all(waiting);
}

async function heldAgainst(reader: Watcher, topic: string): Promise<void> {
  const numbers = (qos: number): number[] => reader.texts(`${topic}/${qos}`).map(Number);
  const wanted = (qos: number): number[] => Array.from({ length: MESSAGES / 2 }, (_, i) => i * 2 + qos - 1);
  const missing = (): number[] => [1, 2].flatMap(qos => wanted(qos).filter(each => !numbers(qos).includes(each)));
  await until('all messages', () => missing().length === 0).catch(() =>
    assert.deepEqual(missing(), [], `lost on ${topic}`),
  );
  const twice = numbers(2).filter((each, i, all) => all.indexOf(each) !== i);
  assert.deepEqual(twice, [], `QoS 2 more than once on ${topic}`);
}

/** Both ways at once, with something happening in the middle. */
async function load(t: TestContext, here: number, there: number, happens: () => Promise<void>): Promise<void> {
  const [readHere, readThere] = [
    await watch(t, here, ['in/#'], lasting('reader', 5)),
    await watch(t, there, ['out/#'], lasting('reader', 5)),
  ];
  const [writeHere, writeThere] = [
    await watch(t, here, [], lasting('writer', 5)),
    await watch(t, there, [], lasting('writer', 5)),
  ];
  const all = Promise.all([publishAll(writeHere, 'out'), publishAll(writeThere, 'in')]);
  await until('the first messages', () => readThere.got.length > 20 && readHere.got.length > 20);
  await happens();
  await all;
  await heldAgainst(readThere, 'out');
  await heldAgainst(readHere, 'in');
}

const bridge = (port: number, version: string): string =>
  `connection up\naddress 127.0.0.1:${port}\nbridge_protocol_version ${version}\nrestart_timeout 1\ntopic out/# out 2\ntopic in/# in 2\nautosave_interval 0\n`;

for (const version of ['mqttv311', 'mqttv50']) {
  test(`nothing is lost and nothing comes twice at QoS 2 when either end is killed (${version})`, async t => {
    const there = await side(t, { durable: true });
    const here = await side(t, { durable: true, conf: () => bridge(there.port, version) });
    await connected(here);
    await load(t, here.port, there.port, async () => {
      await here.kill();
      await here.comeBack();
      await connected(here);
      await pause(50);
      await there.kill();
      await there.comeBack();
    });
  });
}

test(
  "Debian's broker over there: nothing is lost and nothing comes twice at QoS 2 when ours is killed",
  needs('mosquitto'),
  async t => {
    const there = await side(t, { mosquitto: true });
    const here = await side(t, { durable: true, conf: () => bridge(there.port, 'mqttv311') });
    await connected(here);
    await load(t, here.port, there.port, async () => {
      await here.kill();
      await here.comeBack();
    });
  },
);

test(
  "Debian's bridge to us: nothing is lost and nothing comes twice at QoS 2 when we are killed",
  needs('mosquitto'),
  async t => {
    const there = await side(t, { durable: true });
    const here = await side(t, { mosquitto: true, conf: () => bridge(there.port, 'mqttv311') });
    const state = await watch(t, there.port, ['$SYS/broker/connection/#']);
    await until('the bridge to be connected', () => state.got.some(({ text }) => text === '1'));
    await load(t, here.port, there.port, async () => {
      await there.kill();
      await there.comeBack();
    });
  },
);

/** Between the two: cuts, and lets nothing through without closing. */
class Line {
  readonly server = createServer(near => this.join(near));
  private readonly sockets = new Set<Socket>();
  private stalled = false;
  private readonly port: number;

  constructor(port: number) {
    this.port = port;
  }

  async open(): Promise<number> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    const address = this.server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  stall(): void {
    this.stalled = true;
    for (const socket of this.sockets) socket.pause();
  }

  cut(): void {
    this.stalled = false;
    for (const socket of this.sockets) socket.resetAndDestroy();
  }

  close(): void {
    this.cut();
    this.server.close();
  }

  private join(near: Socket): void {
    const far = connect(this.port, '127.0.0.1');
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.sockets.add(from);
      from.on('data', chunk => to.write(chunk));
      from.on('error', () => undefined);
      from.on('close', () => (this.sockets.delete(from), to.destroy()));
      if (this.stalled) from.pause();
    }
  }
}

test('a line that stalls and is cut, again and again, loses nothing and doubles nothing at QoS 2', async t => {
  const there = await side(t);
  const line = new Line(there.port);
  const port = await line.open();
  t.after(() => line.close());
  const here = await side(t, { conf: () => bridge(port, 'mqttv50') });
  await connected(here);
  await load(t, here.port, there.port, async () => {
    for (let i = 2; i < 5; i++) {
      line.stall();
      await pause(30);
      line.cut();
      await connected(here, i);
    }
  });
});

/** A broker of a few lines: takes PUBLISH at QoS 2, answers PUBREC and goes away; small packets only. */
async function forgetful(t: TestContext, sessionPresent: boolean): Promise<{ port: number; seen: number[][] }> {
  const seen: number[][] = [];
  const server = createServer(socket => {
    const types: number[] = [];
    seen.push(types);
    const answers: Record<number, (packet: Buffer) => number[]> = {
      1: () => [0x20, 2, seen.length > 1 && sessionPresent ? 1 : 0, 0],
      3: packet => [0x50, 2, ...packet.subarray(4 + packet[3]!, 6 + packet[3]!)],
    };
    socket.on('data', chunk => {
      for (let at = 0; at < chunk.length; at += 2 + chunk[at + 1]!) {
        const type = chunk[at]! >> 4;
        types.push(type);
        const answer = answers[type]?.(chunk.subarray(at));
        if (answer !== undefined) socket.write(Buffer.from(answer));
        if (type === 3) socket.end();
      }
    });
    socket.on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const address = server.address();
  return { port: typeof address === 'object' && address !== null ? address.port : 0, seen };
}

for (const { remembers, then } of [
  { remembers: true, then: 6 },
  { remembers: false, then: 3 },
]) {
  const what = remembers ? 'is only told to release it' : 'gets it again';
  test(`after a PUBREC was lost with the connection, a broker that ${remembers ? 'remembers' : 'has forgotten'} the message ${what}`, async t => {
    const there = await forgetful(t, remembers);
    const conf = `connection up\naddress 127.0.0.1:${there.port}\nrestart_timeout 1\nnotifications false\nbridge_attempt_unsubscribe false\ntopic out/# out 2\n`;
    const here = await side(t, { durable: true, conf: () => conf });
    const writer = await watch(t, here.port, []);
    await writer.client.publishAsync('out/a', 'm', { qos: 2 });
    await until('the second connection', () => (there.seen[1]?.length ?? 0) > 1);
    assert.deepEqual(there.seen[1]?.slice(0, 2), [1, then]);
  });
}
