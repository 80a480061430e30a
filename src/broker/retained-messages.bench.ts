/**
 * What a retained message costs in memory, and to get back, packed and as the object that it came as:
 *
 *   node --expose-gc src/broker/retained-messages.bench.ts
 */
import { Message } from '../session/mod.ts';
import { Arena } from './arena.ts';
import type { Identity } from './ports.ts';
import { PlainRun, RetainedMessages } from './retained-messages.ts';
import type { BrokerMessage } from './types.ts';

const COUNT = 100_000;
const PAYLOAD_BYTES = 64;

function messageOn(i: number): BrokerMessage {
  const name = `bench/retained/${i}`;
  const payload = Buffer.allocUnsafeSlow(PAYLOAD_BYTES).fill(120);
  return new Message<Identity>(name, Buffer.from(name), payload, Buffer.alloc(0), 1, true, 0, null);
}

function memory(): number {
  globalThis.gc!();
  globalThis.gc!();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function measure(name: string, keepsObject: boolean): RetainedMessages {
  const before = memory();
  const retained = new RetainedMessages();
  for (let i = 0; i < COUNT; i++) retained.set(messageOn(i), keepsObject);
  const bytes = (memory() - before) / COUNT;
  process.stdout.write(
    `${name}: ${bytes.toFixed(0)} bytes each, ${(bytes - PAYLOAD_BYTES).toFixed(0)} beyond the payload\n`,
  );
  return retained;
}

function time(name: string, action: () => void): void {
  action();
  const start = process.hrtime.bigint();
  action();
  process.stdout.write(`${name}: ${(Number(process.hrtime.bigint() - start) / COUNT).toFixed(0)} ns each\n`);
}

const whole = measure('as objects', true);
const packed = measure('packed', false);
const arena = new Arena();
time('match #', () => void packed.match('#'));
time('a packet from each', () => {
  const run = new PlainRun();
  for (const retained of packed.match('#')) {
    run.add(retained, 4);
    if (run.bytes > 16_384) run.write(arena);
  }
  run.write(arena);
});
time('a message from each', () => {
  for (const retained of packed.match('#')) retained.message();
});
process.stdout.write(`${whole.size + packed.size} messages\n`);
