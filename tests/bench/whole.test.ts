/** The bench from end to end, as small as it goes: what is measured here means nothing, that it is measured does. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { root } from '../../bench/brokers.ts';
import type { Results } from '../../bench/results.ts';
import type { Outcome } from '../../src/bench/mod.ts';
import { patienceMs, run, startBroker, zancudo } from '../harness/mod.ts';

/** Many runs in one: a busy machine needs longer for them than for a single command. */
const patient = { withinMs: 6 * patienceMs };

const onLinux = { skip: process.platform !== 'linux' && 'needs /proc' };

test(
  'zancudo bench sees every message of every scenario come, against a broker that is not told of it',
  onLinux,
  async () => {
    const broker = await startBroker();
    try {
      const names = ['p2p', 'fanout', 'fanin', 'shared', 'latency', 'tree', 'retained', 'offline', 'idle', 'connect'];
      const small =
        '--count 300 --publishers 3 --subscribers 3 --connections 20 --concurrency 5 --filters 30 --rate 3000';
      const args = [
        '-h',
        '127.0.0.1',
        '-p',
        String(broker.port),
        '-q',
        '1',
        '-V',
        '5',
        '--json',
        '--pid',
        String(broker.process.pid),
      ];
      const scenarios = names.flatMap(name => ['--scenario', name]);
      const found = await run(zancudo, ['bench', ...args, ...small.split(' '), ...scenarios], patient);
      const outcomes = JSON.parse(found.stdout) as Outcome[];
      assert.deepEqual(outcomes.map(({ scenario, fault }) => [scenario, fault]), names.map(name => [name, null])); // prettier-ignore
      for (const { scenario, delivered, sent } of outcomes.slice(0, 5))
        assert.ok(sent > 0 && delivered >= sent, scenario);
      assert.equal(found.code, 0);
    } finally {
      await broker.stop();
    }
  },
);

test('zancudo bench says once why there is no connection, and makes no crowd of errors', async () => {
  const found = await run(zancudo, ['bench', '-h', '127.0.0.1', '-p', '1', '--json']);
  assert.deepEqual([found.code, found.stdout], [1, '']);
  assert.match(found.stderr, /^Error: .*\n.*127\.0\.0\.1:1 could not be reached.*\n.*\n$/);
});

test('the runner starts a broker, loads it and says what it found', onLinux, async () => {
  const args = [join(root, 'bench/run.ts'), '--quick', '--only', 'p2p-q1', '--brokers', 'zancudo', '--seconds', '0.2', '--json']; // prettier-ignore
  const found = await run(process.execPath, args, patient);
  const { cells } = JSON.parse(found.stdout) as Results;
  const [figures] = cells['p2p-q1']!.rounds['zancudo']!;
  assert.equal(figures?.fault, null);
  assert.ok((figures?.brokerMicros ?? 0) > 0 && (figures?.restKb ?? 0) > 0);
});
