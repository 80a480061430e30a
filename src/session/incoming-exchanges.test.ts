import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { IncomingExchanges } from './incoming-exchanges.ts';
import { Message } from './message.ts';

const NOTHING = Buffer.alloc(0);
const messageOf = (bytes: number): Message =>
  new Message('t', NOTHING, Buffer.alloc(bytes), NOTHING, 2, false, 0, null);

test('whatever identifiers a client takes, each exchange is found, released once, and the others stay in order', () => {
  // Few low bits, so that many share a head, and all 16 of them.
  const identifier = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 63 }).map(n => n * 1024), fc.integer({ min: 1, max: 65_535 })); // prettier-ignore
  const step = fc.record({ packetId: identifier, opens: fc.boolean(), bytes: fc.nat(9) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), steps => {
      const exchanges = new IncomingExchanges();
      const known = new Map<number, Message>();
      for (const { packetId, opens, bytes } of steps) {
        const message = messageOf(bytes);
        if (!opens) assert.equal(exchanges.release(packetId)?.message, known.get(packetId));
        else exchanges.open(packetId, message, true);
        known.delete(packetId);
        if (opens) known.set(packetId, message);
        assert.equal(exchanges.get(packetId)?.message, known.get(packetId));
        assert.equal(exchanges.size, known.size);
      }
      const bytes = [...known.values()].reduce((sum, { payloadLength }) => sum + payloadLength, 0);
      assert.equal(exchanges.payloadBytes, bytes);
      assert.deepEqual(exchanges.drain().map(([id, { message }]) => [id, message]), [...known]); // prettier-ignore
      assert.deepEqual([exchanges.size, exchanges.payloadBytes, exchanges.drain().length], [0, 0, 0]);
    }),
  );
});
