import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodePublish, PublishView, publishRemainingLength, readPublish } from '../codec/mod.ts';
import { Message } from '../session/mod.ts';
import { Arena } from './arena.ts';
import type { Identity } from './ports.ts';
import { Payloads } from './payloads.ts';
import { emptyParts, Publication } from './publication.ts';
import { PlainRun, RetainedMessages } from './retained-messages.ts';
import { TopicEntry } from './topic-cache.ts';
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

const namings = ['in full', 'by an alias', 'below a mount point'] as const;
const publisher = { clientId: 'publisher' } as Identity;

/** A PUBLISH in the middle of what was read, on a topic that the broker knows by another name perhaps. */
function read(facts: Facts, wireName: string, version: 4 | 5): Publication {
  const { topicName: name, payload: bytes, properties: extra, expiresAt } = facts;
  const parts = { ...emptyParts(), version, topic: Buffer.from(wireName), properties: extra, payload: bytes };
  const whole = { ...parts, payloadEnd: bytes.length };
  const source = Buffer.concat([Buffer.from('before'), encodePublish(whole), Buffer.from('after')]);
  const end = source.length - 'after'.length;
  const view = new PublishView();
  readPublish(view, source, 0x31, end - publishRemainingLength(whole), end, version);
  return new Publication(new Payloads()).fromView(view, new TopicEntry(name), publisher, expiresAt);
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

test('what is published is retained as the message made of it, whatever the packet calls its topic', () => {
  fc.assert(
    fc.property(message, fc.constantFrom(...namings), fc.constantFrom(4, 5), (facts, naming, version) => {
      const wireName = { 'in full': facts.topicName, 'by an alias': '', 'below a mount point': 'b' }[naming];
      const publication = read(facts, wireName, version);
      const [asItCame, asMessage] = [new RetainedMessages(), new RetainedMessages()];
      const isPacked = asItCame.put(publication);
      asMessage.set(publication.stable(), false);
      assert.equal(isPacked, asMessage.match('#')[0]!.isPlainFor(4));
      if (isPacked) assert.deepEqual(asItCame.match('#'), asMessage.match('#'));
      assert.equal(asItCame.payloadBytes, isPacked ? facts.payload.length : 0);
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
