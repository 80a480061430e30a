import assert from 'node:assert/strict';
import test from 'node:test';
import { CrashHistory } from './history.ts';

/** `npm run crash` does hundreds. */
const ROUNDS = 6;

test(`a broker killed ${ROUNDS} times under load keeps every acknowledged message, QoS 2 once, each topic in order`, async () => {
  const history = new CrashHistory();
  try {
    await history.begin();
    for (let n = 0; n < ROUNDS; n++) await history.round();
    const { faults, acknowledged } = await history.end();
    assert.deepEqual(faults, []);
    assert.ok(acknowledged > 0, 'the load was no load');
  } finally {
    history.discard();
  }
});
