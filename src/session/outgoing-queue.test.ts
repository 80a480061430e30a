import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { Delivery } from './delivery.ts';
import { Message } from './message.ts';
import { OutgoingQueue } from './outgoing-queue.ts';

const NOTHING = Buffer.alloc(0);
const delivery = (bytes: number): Delivery =>
  new Delivery(new Message('t', NOTHING, Buffer.alloc(bytes), NOTHING, 1, false, 0, null), 1, false, 0);

test('whatever comes, goes, is stowed and fetched, the order holds and the sums are those of what is there', () => {
  const steps = fc.array(fc.record({ kind: fc.nat(5), bytes: fc.nat(50) }), { maxLength: 100 });
  fc.assert(
    fc.property(steps, script => {
      const totals = { messages: 0, payloadBytes: 0, windowBytes: 0 };
      const queue = new OutgoingQueue(totals, { messages: 0, bytes: 0 });
      // Everything that waits, and the part of it that only a store would have.
      let all: Delivery[] = [];
      let tail: Delivery[] = [];
      for (const { kind, bytes } of script) {
        const next = delivery(bytes);
        if (kind < 2) {
          all.push(next);
          if (kind === 0 && tail.length === 0) queue.push(next);
          else tail.push(next);
          if (tail.at(-1) === next) queue.append(1, bytes);
        } else if (kind === 2 && queue.windowSize > 0) assert.equal(queue.shift(), all.shift());
        else if (kind === 3 && tail.length > 0) queue.arrive(tail.shift()!);
        else if (kind === 4) tail = [...queue.stow(), ...tail];
        else if (kind === 5) {
          const inWindow = new Set(queue);
          queue.sift(({ message }) => message.payload.length % 2 === 0);
          all = all.filter(each => !inWindow.has(each) || each.message.payload.length % 2 === 0);
        }
        const payloadBytes = all.reduce((sum, { message }) => sum + message.payload.length, 0);
        assert.deepEqual([...queue, ...tail], all);
        assert.deepEqual([queue.size, queue.payloadBytes], [all.length, payloadBytes]);
        assert.deepEqual(totals, { messages: all.length, payloadBytes, windowBytes: queue.windowBytes });
        assert.equal(queue.windowBytes === 0, queue.windowSize === 0);
      }
      queue.clear();
      assert.deepEqual(totals, { messages: 0, payloadBytes: 0, windowBytes: 0 });
    }),
  );
});
