import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { lineOf, recordOf } from './record.ts';

test('what is recorded is read again, whatever names clients give themselves', () => {
  const fact = fc.oneof(fc.string({ unit: 'binary' }), fc.integer(), fc.array(fc.string()));
  const names = fc.constantFrom('client', 'user', 'address', 'will', 'filters');
  fc.assert(
    fc.property(fc.nat(), fc.dictionary(names, fact), (at, facts) => {
      const line = lineOf(at, 'client.connected', facts);
      assert.equal(line.indexOf('\n'), line.length - 1);
      assert.deepEqual(recordOf(line), { at, event: 'client.connected', facts: { ...facts } });
    }),
  );
});

test('a record begins with its time and its name, and facts that are not known are left out', () => {
  const facts = { client: 'lamp-1', user: undefined, port: 1883 };
  assert.equal(lineOf(7, 'client.left', facts), '{"at":7,"event":"client.left","client":"lamp-1","port":1883}\n');
  assert.equal(lineOf(7, 'broker.stopped', {}), '{"at":7,"event":"broker.stopped"}\n');
});

test('a text or a list without end does not make a record without end', () => {
  const line = lineOf(7, 'client.subscribed', { client: 'x'.repeat(65_000), filters: Array<string>(500).fill('a/b') });
  const { facts } = recordOf(line)!;
  assert.equal(facts['client'], `${'x'.repeat(1000)}...`);
  assert.equal((facts['filters'] as string[]).at(-1), 'and 449 more');
});
