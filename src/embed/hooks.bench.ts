/**
 * What a hook costs: CPU time of the routing thread for a message of QoS 0 from one socket to another.
 *
 *   node src/embed/hooks.bench.ts
 */
import { Worker } from 'node:worker_threads';
import { createBroker, type Plugin } from './mod.ts';

const MESSAGES = 200_000;
const PAYLOAD_BYTES = 100;
const TOPIC = 'bench/topic';

/** The publisher and the subscriber, on a thread of their own: what they take is not counted. */
const crowd = `
const net = require('node:net');
const { workerData: { port, messages, packet, connects }, parentPort } = require('node:worker_threads');
const [sub, pub] = connects.map(bytes => { const to = net.connect(port, '127.0.0.1'); to.write(bytes); return to; });
sub.write(Buffer.from([0x82, 6, 0, 1, 0, 1, 0x23, 0]));
let got = 0;
sub.on('data', ({ length }) => (got += length) >= messages * packet.length + 9 && parentPort.postMessage('done'));
const thousand = Buffer.concat(Array.from({ length: 1000 }, () => packet));
let left = messages;
const publish = () => {
  for (; left > 0; left -= 1000) if (!pub.write(thousand)) return void (left -= 1000, pub.once('drain', publish));
};
setTimeout(() => { parentPort.postMessage('go'); publish(); }, 200);
`;

function publishPacket(): Buffer {
  const length = 2 + TOPIC.length + PAYLOAD_BYTES;
  return Buffer.concat([Buffer.from([0x30, length, 0, TOPIC.length]), Buffer.from(TOPIC), Buffer.alloc(PAYLOAD_BYTES)]);
}

function connectPacket(clientId: string): Buffer {
  const head = Buffer.from([0x10, 12 + clientId.length, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, 60, 0, clientId.length]);
  return Buffer.concat([head, Buffer.from(clientId)]);
}

/** Nanoseconds per message. */
async function costOf(plugins: readonly Plugin[]): Promise<number> {
  const settings = { maxQueuedMessages: 0, maxLinkBufferBytes: 200_000_000 };
  const broker = createBroker({
    listeners: [{ host: '127.0.0.1', allowAnonymous: true }],
    settings,
    plugins,
    log: null,
  });
  await broker.start();
  const connects = ['sub', 'pub'].map(connectPacket);
  const workerData = { port: broker.listeners[0]!.port, messages: MESSAGES, packet: publishPacket(), connects };
  const worker = new Worker(crowd, { eval: true, workerData });
  let before = process.threadCpuUsage();
  await new Promise<void>(resolve =>
    worker.on('message', (word: string) => {
      if (word === 'go') before = process.threadCpuUsage();
      else resolve();
    }),
  );
  const { user, system } = process.threadCpuUsage(before);
  await worker.terminate();
  await broker.stop();
  return ((user + system) * 1000) / MESSAGES;
}

const cases: [name: string, plugins: Plugin[]][] = [
  ['no plugin', []],
  ['authenticate', [{ authenticate: () => 'allow' }]],
  ['authorize', [{ authorize: () => 'allow' }]],
  ['onPublish', [{ onPublish: () => undefined }]],
  ['messageIn', [{ messageIn: () => undefined }]],
  ['messageIn, changed', [{ messageIn: ({ payload }) => ({ payload }) }]],
  ['messageOut', [{ messageOut: () => undefined }]],
];

await costOf([]);
for (const [name, plugins] of cases) {
  const costs = [await costOf(plugins), await costOf(plugins), await costOf(plugins)];
  process.stdout.write(`${name.padEnd(20)} ${Math.round(Math.min(...costs))} ns\n`);
}
