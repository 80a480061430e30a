import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { Delivery } from './delivery.ts';
import { Inflight } from './inflight.ts';
import { Message } from './message.ts';

const NOTHING = Buffer.alloc(0);
const delivery = (): Delivery =>
  new Delivery(new Message('t', NOTHING, NOTHING, NOTHING, 1, false, 0, null), 1, false, 0);

test('packet identifiers run 1, 2 ... 65535, 1 and none is given out while it is in use', () => {
  const inflight = new Inflight({ messages: 0, bytes: 0 });
  const first = delivery();
  assert.equal(inflight.add(first), 1);
  for (let id = 2; id <= 65535; id++) {
    const next = delivery();
    assert.equal(inflight.add(next), id);
    inflight.remove(next);
    // The first is never acknowledged, so the holes behind it stay spanned.
    if (id < 65535) assert.ok(inflight.canAdd);
  }
  assert.equal(inflight.canAdd, false);
  inflight.remove(first);
  assert.ok(inflight.canAdd);
  assert.equal(inflight.add(delivery()), 1);
});

test('what is in flight is found by its identifier and kept in order, whatever is acknowledged first', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(9), { maxLength: 200 }), steps => {
      const inflight = new Inflight({ messages: 0, bytes: 0 });
      const model = new Map<number, Delivery>();
      for (const step of steps) {
        const victim = [...model.values()][step];
        if (victim === undefined) {
          const added = delivery();
          model.set(inflight.add(added), added);
        } else {
          inflight.remove(victim);
          model.delete(victim.packetId);
        }
        assert.equal(inflight.size, model.size);
        assert.deepEqual([...inflight], [...model.values()]);
        for (const [id, entry] of model) assert.equal(inflight.get(id), entry);
        if (victim !== undefined) assert.equal(inflight.get(victim.packetId), undefined);
      }
    }),
  );
});
