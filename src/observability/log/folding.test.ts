import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { About, LogCode } from '../../base/mod.ts';
import { Folding, foldingBounds } from './folding.ts';

function start(after = 3) {
  const clock = { now: 0 };
  const lines: string[] = [];
  const folding = new Folding(after, {
    now: () => clock.now,
    wall: () => clock.now,
    moment: wall => String(wall),
    write: ({ text }) => void lines.push(text),
  });
  const say = (text: string, about: About): void => {
    if (!folding.holds('notice', text, about)) lines.push(text);
  };
  const minute = (): void => {
    clock.now += foldingBounds.windowMilliseconds;
    folding.sweep();
  };
  return { clock, lines, folding, say, minute };
}

const about = (code: LogCode, address = '10.0.0.5', client?: string): About => ({ code, address, client });

test('the first lines of a flood and the last one are written, and how many there were', () => {
  const { lines, say, minute, folding } = start(1);
  for (let n = 1; n <= 417; n++) say(`Scan ${n}.`, about('connection.not-mqtt'));
  minute();
  folding.settle();
  assert.deepEqual(lines, [
    'Scan 1.',
    'Scan 2.',
    'Scan 3.',
    'Scan 4.',
    'Scan 5.',
    '  ... 412 times more in 60 s from 10.0.0.5, last at 0: Scan 417.',
  ]);
});

test('a flood that goes on is one line a minute, and after a quiet minute lines are written again', () => {
  const { lines, say, minute, folding } = start(1);
  for (let n = 0; n < 3; n++) {
    for (let i = 0; i < 100; i++) say('Scan.', about('connection.not-mqtt'));
    minute();
  }
  assert.equal(lines.length, 5 + 3);
  minute();
  say('Once more.', about('connection.not-mqtt'));
  assert.equal(lines.at(-1), 'Once more.');
  folding.settle();
});

test('a health check every two seconds becomes a line a minute, and one every ten seconds does not', () => {
  const { clock, lines, say, folding } = start(10);
  const hour = (everyMilliseconds: number, code: LogCode): number => {
    folding.settle();
    const before = lines.length;
    for (const end = clock.now + 3_600_000; clock.now < end; clock.now += everyMilliseconds) {
      folding.sweep();
      say('Probe.', about(code));
    }
    return lines.length - before;
  };
  assert.ok(hour(2000, 'connection.silent') < 150);
  assert.equal(hour(10_000, 'connection.broken-off'), 360);
  folding.settle();
});

test('other kinds, other addresses and other clients are told as before', () => {
  const { lines, say, folding } = start(1);
  for (let n = 0; n < 100; n++) say('Scan.', about('connection.not-mqtt'));
  say('Other kind.', about('connection.silent'));
  say('Other address.', about('connection.not-mqtt', '10.0.0.6'));
  for (let n = 0; n < 50; n++) say(`New client ${n}.`, about('client.connected', '10.0.0.5', `lamp${n}`));
  assert.equal(lines.length, 5 + 2 + 50);
  folding.settle();
});

test('a client that comes back again and again is folded, and one that comes once a second is not', () => {
  const { clock, lines, say, folding } = start(10);
  for (let second = 0; second < 600; second++) {
    clock.now = second * 1000;
    say('New client lamp1.', about('client.connected', '10.0.0.5', 'lamp1'));
  }
  assert.equal(lines.length, 600);
  for (let n = 0; n < 600; n++) say('New client war.', about('client.connected', '10.0.0.5', 'war'));
  assert.equal(lines.length, 660);
  folding.settle();
  assert.match(lines.at(-1) ?? '', /540 times more/);
});

test('new connections are folded while something else from their address is, and only then', () => {
  const { lines, say, folding } = start(1);
  for (let n = 0; n < 1000; n++) say('New connection.', about('connection.opened'));
  assert.equal(lines.length, 1000);
  for (let n = 0; n < 6; n++) say('Scan.', about('connection.not-mqtt'));
  say('New connection.', about('connection.opened'));
  say('New connection elsewhere.', about('connection.opened', '10.0.0.6'));
  assert.equal(lines.length, 1000 + 5 + 1);
  folding.settle();
});

test('however many addresses there are, the memory is bounded and no line is unaccounted for', () => {
  const { lines, say, folding } = start(1);
  for (let n = 0; n < 5000; n++) say('Scan.', about('connection.not-mqtt', `10.0.${n >> 8}.${n & 255}`));
  assert.ok(lines.length <= foldingBounds.keysMax + 5);
  folding.settle();
  assert.equal(toldBy(lines), 5000);
});

function toldBy(lines: readonly string[]): number {
  const times = lines.map(line => /\.\.\. (?:(\d+) times|(once)) more/.exec(line));
  return times.reduce((sum, match) => sum + (match === null ? 1 : Number(match[1] ?? 1)), 0);
}

test('whatever comes in whatever order, written and counted lines are as many as there were', () => {
  const step = fc.record({ code: fc.constantFrom<LogCode>('connection.not-mqtt', 'connection.opened', 'broker.fault', 'client.connected', 'conf.remark'), address: fc.nat(3), later: fc.nat(40_000) }); // prettier-ignore
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), fc.nat(2), (steps, after) => {
      const { clock, lines, say, folding } = start(after);
      for (const { code, address, later } of steps) {
        clock.now += later;
        if (later % 2 === 0) folding.sweep();
        say('Line.', about(code, `10.0.0.${address}`));
      }
      folding.settle();
      assert.equal(toldBy(lines), steps.length);
    }),
  );
});

test('somebody new is not looked for a place among a thousand others each time', () => {
  let looks = 0;
  const folding = new Folding(1, {
    now: () => (looks++, 0),
    wall: () => 0,
    moment: String,
    write: () => undefined,
  });
  const come = (n: number): boolean =>
    folding.holds('notice', 'Hello.', about('client.connected', '10.0.0.5', `c${n}`));
  for (let n = 0; n <= foldingBounds.keysMax; n++) come(n);
  looks = 0;
  for (let n = 0; n < 100; n++) come(foldingBounds.keysMax + 1 + n);
  assert.ok(looks < 100 * 20, `the clock was read ${looks} times`);
});
