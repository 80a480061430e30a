import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RefusalLedger } from './refusals.ts';

const why = (): string => 'rule 1';

test('the same thing refused again is one line with a count, and its reason is looked up once', () => {
  const ledger = new RefusalLedger();
  let asked = 0;
  for (let i = 0; i < 5; i++) ledger.note('lamp', 'publish', 'a', 100 + i, () => `rule ${++asked}`);
  ledger.note('lamp', 'publish', 'b', 110, why);
  assert.deepEqual(
    ledger.of('lamp').map(({ topic, count, because, firstAt, lastAt }) => [topic, count, because, firstAt, lastAt]),
    [
      ['b', 1, 'rule 1', 110, 110],
      ['a', 5, 'rule 1', 100, 104],
    ],
  );
});

test('a flood fills neither memory nor time: 20 questions a client, 1000 clients, 100 reasons a second, 1000 characters', () => {
  const ledger = new RefusalLedger();
  let asked = 0;
  const count = (): string => `rule ${++asked}`;
  for (let i = 0; i < 500; i++) ledger.note('lamp', 'publish', `${i}/${'x'.repeat(5000)}`, 100, count);
  assert.equal(asked, 100);
  assert.equal(ledger.of('lamp').length, 20);
  assert.ok(ledger.of('lamp').every(({ topic, because }) => topic.length < 1010 && because === null));
  for (let i = 0; i < 1500; i++) ledger.note(`client ${i}`, 'publish', 'a', 200, why);
  assert.equal([...ledger.clientIds()].length, 1000);
  assert.deepEqual(ledger.of('lamp'), []);
});

test('a reason that there was no time for is looked up when the question comes again', () => {
  const ledger = new RefusalLedger();
  for (let i = 0; i < 100; i++) ledger.note('other', 'publish', String(i), 100, why);
  ledger.note('lamp', 'publish', 'a', 100, why);
  assert.equal(ledger.of('lamp')[0]?.because, null);
  ledger.note('lamp', 'publish', 'a', 101, why);
  assert.equal(ledger.of('lamp')[0]?.because, 'rule 1');
});
