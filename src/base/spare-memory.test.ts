import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SpareMemory } from './spare-memory.ts';

test('one that is given back and much too long is not taken for a short packet', () => {
  const memory = new SpareMemory();
  memory.giveBack(Buffer.allocUnsafeSlow(1_048_576));
  assert.ok(memory.take(5_000).length < 100_000);
  assert.equal(memory.take(700_000).length, 1_048_576);
});
