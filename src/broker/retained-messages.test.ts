import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodePublish } from '../codec/mod.ts';
import { Message } from '../session/mod.ts';
import { Arena } from './arena.ts';
import type { Identity } from './ports.ts';
import { emptyParts } from './publication.ts';
import { PlainRun, RetainedMessages } from './retained-messages.ts';
import type { BrokerMessage } from './types.ts';

const topicName = fc.oneof(
  fc.constantFrom('a', 'a/b', 'home/kitchen/temp', 'ñandú/€/𝄞'),
  fc.stringMatching(/^[a-zß€]{1,40}$/),
);
const payload = fc.uint8Array({ maxLength: 1200 }).map(bytes => Buffer.from(bytes));
/** A content type, or nothing. */
const properties = fc.constantFrom(Buffer.alloc(0), Buffer.from([0x03, 0, 1, 0x78]));

const message = fc.record({ topicName, payload, properties, expiresAt: fc.constantFrom(0, 1_700_000_000) });
interface Facts {
  topicName: string;
  payload: Buffer;
  properties: Buffer;
  expiresAt: number;
}

function messageOf({ topicName: name, payload: bytes, properties: extra, expiresAt }: Facts): BrokerMessage {
  return new Message<Identity>(name, Buffer.from(name), bytes, extra, 1, true, expiresAt, null);
}

test('what is retained comes back as it was, whoever keeps the object', () => {
  fc.assert(
    fc.property(message, fc.boolean(), (facts, keepsObject) => {
      const retained = new RetainedMessages();
      const given = messageOf(facts);
      retained.set(given, keepsObject);
      assert.deepEqual(retained.get(facts.topicName), given);
      if (keepsObject) assert.equal(retained.get(facts.topicName), given);
      const [entry] = retained.match('#');
      assert.equal(entry!.topicName, facts.topicName);
      assert.equal(retained.payloadLengthOn(facts.topicName), facts.payload.length);
    }),
  );
});

test('the packet written without a message is the one that the codec writes', () => {
  const retained = new RetainedMessages();
  fc.assert(
    fc.property(message, fc.constantFrom(3 as const, 4 as const, 5 as const), (facts, version) => {
      const given = messageOf(facts);
      retained.set(given, false);
      const entry = retained.match(facts.topicName)[0]!;
      if (!entry.isPlainFor(version)) return;
      const arena = new Arena();
      const run = new PlainRun();
      run.add(entry, version);
      const { bytes } = run;
      const start = run.write(arena);
      assert.equal(arena.position - start, bytes);
      const parts = { ...emptyParts(), version, retain: true, topic: given.topic, properties: given.properties };
      const expected = encodePublish({ ...parts, payload: given.payload, payloadEnd: given.payload.length });
      assert.deepEqual(arena.slab.subarray(start, arena.position), expected);
    }),
  );
});

test('a message that was replaced or removed is no longer held, also where its place has gone to another topic', () => {
  const retained = new RetainedMessages();
  const facts = { topicName: 'a', payload: Buffer.from('1'), properties: Buffer.alloc(0), expiresAt: 0 };
  retained.set(messageOf(facts), false);
  const [first] = retained.match('a');
  retained.set(messageOf(facts), false);
  const [second] = retained.match('a');
  assert.deepEqual([first!.isCurrent, second!.isCurrent, retained.size], [false, true, 1]);
  assert.equal(retained.delete('a'), true);
  retained.set(messageOf({ ...facts, topicName: 'b' }), false);
  assert.equal(second!.isCurrent, false);
  assert.equal(retained.delete('a'), false);
});
