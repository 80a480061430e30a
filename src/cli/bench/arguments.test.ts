import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readBenchArguments, type Wish } from './arguments.ts';
import { isOwnAddress, mayLoad } from './consent.ts';
import { bar, drawHistogram, grouped, micros } from './drawing.ts';
import { tourOf } from './tour.ts';

function wish(...args: string[]): Wish {
  const read = readBenchArguments(args);
  assert.ok(typeof read === 'object', typeof read === 'string' ? read : '');
  return read;
}

test('a host, the options of the clients and those of the load are read in any order', () => {
  const { draft, load, scenarios } = wish(
    'broker.lan',
    '--scenario',
    'p2p',
    '-q',
    '1',
    '-u',
    'me',
    '--size',
    '100',
    '-p',
    '1884',
  );
  assert.deepEqual([draft.host, draft.port, draft.username], ['broker.lan', 1884, 'me']);
  assert.deepEqual([load.qos, load.size, scenarios], [1, 100, ['p2p']]);
});

test('a mistake is named with what was meant', () => {
  for (const [args, answer] of [
    [['--scenario', 'fanot'], /Did you mean 'fanout'/],
    [['--secnds', '3'], /Did you mean '--seconds'/],
    [['--size', '8'], /not between 16 and/],
    [['--size'], /--size needs BYTES/],
    [['one', 'two'], /there is one HOST/],
    [['-q', '3'], /Invalid QoS given: 3/],
    [['-V', '31'], /3\.1\.1 and 5 are measured/],
    [['--topic', 'a/#'], /no prefix/],
    [['--scenario', 'offline', '-q', '0'], /nothing waits/],
  ] as const) {
    const told = readBenchArguments(args);
    assert.match(typeof told === 'string' ? told : '', answer);
  }
});

test('without a scenario there is a short tour, all of it at the QoS that was asked for', () => {
  assert.deepEqual(tourOf(wish()).map(each => `${each.scenario} ${each.qos}`), ['p2p 0', 'p2p 1', 'p2p 2', 'fanout 0', 'latency 0']); // prettier-ignore
  assert.ok(tourOf(wish('-q', '2')).every(each => each.qos === 2));
  assert.ok(tourOf(wish('--seconds', '1')).every(each => each.seconds === 1));
});

test('this machine is loaded without a question, another one not without a word', async () => {
  assert.deepEqual(['127.0.0.1', '127.9.0.1', '::1', '203.0.113.9'].map(isOwnAddress), [true, true, true, false]);
  let said = '';
  const context = { calledAs: 'zancudo', environment: {}, print: () => undefined, complain: (text: string) => void (said += text), wall: () => 0 }; // prettier-ignore
  const foreign = { host: '203.0.113.9', port: 8883 };
  if (!process.stdin.isTTY) {
    assert.equal(await mayLoad(foreign, false, context), false);
    assert.match(said, /203\.0\.113\.9:8883.*\n.*--yes/);
  }
  assert.equal(await mayLoad(foreign, true, context), true);
});

test('a histogram is drawn with its longest bar across, and what is there but small with a dot', () => {
  const latency = { p50: 1, p90: 1, p99: 1, p999: 1, largest: 1, samples: 1001, senderLagP50: 0, senderLagP99: 0 };
  const histogram = [{ fromMicros: 20, count: 1000 }, { fromMicros: 50, count: 1 }]; // prettier-ignore
  const drawn = drawHistogram({ latency: { ...latency, histogram } } as Parameters<typeof drawHistogram>[0]);
  assert.deepEqual(drawn, [`   20.0 µs  99.90 % ${'█'.repeat(40)}`, '   50.0 µs   0.10 % ·', '']);
  assert.deepEqual([bar(0), bar(1.5), bar(3)], ['·', '█▌', '███']);
});

test('figures are told in units that a person reads', () => {
  assert.deepEqual([micros(0.456), micros(45.6), micros(456), micros(45_600), micros(4_560_000)], ['0.46 µs', '45.6 µs', '456 µs', '45.6 ms', '4.56 s']); // prettier-ignore
  assert.deepEqual([grouped(999), grouped(1_234_567)], ['999', '1,234,567']);
});
