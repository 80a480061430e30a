import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { Delivery } from './delivery.ts';
import type { Held } from './held.ts';
import { Message } from './message.ts';
import { Session } from './session.ts';

const NOTHING = Buffer.alloc(0);
const messages = [1, 2, 4, 8].map(
  bytes => () => new Message('t', NOTHING, Buffer.alloc(bytes), NOTHING, 1, false, 0, null),
);

/** What a walk over everything finds. */
function walk(sessions: readonly Session[]): Held {
  const seen = new Set<Message>();
  const sum = { messages: 0, bytes: 0 };
  for (const { queue, inflight } of sessions) {
    for (const { message } of [...queue, ...inflight]) seen.add(message);
    sum.messages += queue.tailMessages;
    sum.bytes += queue.tailBytes;
  }
  for (const { payloadLength } of seen) sum.bytes += payloadLength;
  return { messages: sum.messages + seen.size, bytes: sum.bytes };
}

test('what is counted as it comes and goes is what a walk over all sessions finds, however they share messages', () => {
  const steps = fc.array(fc.record({ who: fc.nat(2), what: fc.nat(7), which: fc.nat(3) }), { maxLength: 80 });
  fc.assert(
    fc.property(steps, script => {
      const held = { messages: 0, bytes: 0 };
      const totals = { messages: 0, payloadBytes: 0, windowBytes: 0 };
      const sessions = ['a', 'b', 'c'].map(clientId => new Session(clientId, totals, held));
      const shared = messages.map(make => make());
      for (const { who, what, which } of script) {
        const session = sessions[who]!;
        const delivery = new Delivery(shared[which]!, 1, false, 0);
        if (what <= 1 && session.queue.tailMessages === 0) session.ownQueue.push(delivery);
        else if (what === 2) session.ownInflight.add(delivery);
        else if (what === 3) session.queue.shift();
        else if (what === 4) for (const first of [...session.inflight].slice(0, 1)) session.inflight.remove(first);
        else if (what === 5) session.queue.stow();
        else if (what === 6) session.ownQueue.append(1, 3);
        else if (what === 7 && which === 0) session.inflight.clear();
        else if (what === 7) session.queue.clear();
        assert.deepEqual(held, walk(sessions));
      }
    }),
  );
});
