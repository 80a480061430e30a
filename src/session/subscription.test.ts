import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { type SharedGroup, Subscription } from './subscription.ts';
import { Subscriptions } from './subscriptions.ts';

const options = fc.record({
  qos: fc.constantFrom<(0 | 1 | 2)[]>(0, 1, 2),
  noLocal: fc.boolean(),
  retainAsPublished: fc.boolean(),
  identifier: fc.integer({ min: 0, max: 268_435_455 }),
});

test('a subscription gives back each option as it was set last, whatever the others are', () => {
  fc.assert(
    fc.property(fc.array(options, { minLength: 1, maxLength: 4 }), each => {
      const subscription = new Subscription(null, 'a', 'a', null);
      for (const wanted of each) Object.assign(subscription, wanted);
      const { qos, noLocal, retainAsPublished, identifier } = subscription;
      assert.deepEqual({ qos, noLocal, retainAsPublished, identifier }, { ...each.at(-1) });
    }),
  );
});

test('a subscription knows its place in the tree: its filter, the same behind a mount point, or its group', () => {
  const group: SharedGroup<null> = { key: 'g/t', topicFilter: 't', members: [], next: 0 };
  const plain = new Subscription(null, 't', 't', null);
  const mounted = new Subscription(null, 't', 'here/t', null);
  const shared = new Subscription(null, '$share/g/t', 't', group);
  assert.deepEqual([plain.topicFilter, mounted.topicFilter, shared.topicFilter], ['t', 'here/t', 't']);
  assert.deepEqual([plain.group, mounted.group, shared.group], [null, null, group]);
});

test('the subscriptions of a session, few or many, are found by filter and listed in the order they were made', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(40), { maxLength: 200 }), steps => {
      const subscriptions = new Subscriptions<null>();
      const model = new Map<string, Subscription<null>>();
      for (const step of steps) {
        const filter = String(step);
        const known = subscriptions.get(filter);
        assert.equal(known, model.get(filter));
        if (known === undefined) {
          const added = new Subscription(null, filter, filter, null);
          subscriptions.add(added);
          model.set(filter, added);
        } else {
          subscriptions.remove(known);
          model.delete(filter);
        }
        assert.equal(subscriptions.size, model.size);
        assert.deepEqual(subscriptions.all(), [...model.values()]);
      }
    }),
  );
});
