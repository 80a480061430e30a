import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Entry } from './entry.ts';
import { entryFromJson, entryToJson } from './json-entry.ts';

const qos = fc.constantFrom<0 | 1 | 2>(0, 1, 2);
const seconds = fc.integer({ min: 0, max: 0xffff_ffff });
const payload = fc.uint8Array({ maxLength: 40 }).map(bytes => Buffer.from(bytes));
const topic = fc.string({ minLength: 1, unit: 'binary' }).filter(text => Buffer.from(text).toString() === text);
const id = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const properties = fc.constantFrom(null, '[{"identifier":"user-property","name":"a","value":"\\u0007b"}]');
const clientId = topic;
const username = fc.option(fc.string());
const port = fc.integer({ min: 0, max: 65_535 });
const retain = fc.boolean();

const record = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(model, { noNullPrototype: true });
const will = record({ topic, payload, qos, retain, properties, delayInterval: seconds, messageExpiryInterval: fc.oneof(fc.constant(-1), seconds), dueAt: seconds }); // prettier-ignore
const entries: fc.Arbitrary<Entry> = fc.oneof(
  record({ kind: fc.constant('message' as const), id, topic, payload, qos, retain, expiresAt: seconds, properties, publisher: fc.option(record({ clientId: fc.string(), username, port })) }),
  record({ kind: fc.constant('retained' as const), message: id }),
  record({ kind: fc.constant('session' as const), clientId, username, port, version: fc.constantFrom(null, 3 as const, 4 as const, 5 as const), expiryInterval: seconds, endsAt: seconds, will: fc.option(will) }),
  record({ kind: fc.constant('subscription' as const), clientId, filter: topic, mountPoint: fc.string(), qos, noLocal: fc.boolean(), retainAsPublished: fc.boolean(), identifier: fc.integer({ min: 0, max: 268_435_455 }) }),
  record({ kind: fc.constant('exchange' as const), clientId, message: id, packetId: port, deliver: fc.boolean() }),
  record({ kind: fc.constant('delivery' as const), clientId, message: id, qos, retain, dup: fc.boolean(), subscriptionIdentifier: port, packetId: fc.integer({ min: 1, max: 65_535 }), state: fc.constantFrom<1 | 2 | 3>(1, 2, 3) }),
); // prettier-ignore

test('every entry comes back from its line as it was', () => {
  fc.assert(
    fc.property(entries, entry => {
      const line = entryToJson(entry);
      assert.ok(!line.includes('\n'));
      assert.deepEqual(entryFromJson(line), entry);
    }),
  );
});

test('whatever a line holds, it is an entry or none, and never an exception', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json(), entries.map(entryToJson)), fc.nat(), fc.string(), (line, at, put) => {
      const changed = line.slice(0, at % (line.length + 1)) + put + line.slice(at % (line.length + 1));
      const entry = entryFromJson(changed);
      assert.ok(entry === null || typeof entry.kind === 'string');
    }),
  );
});

test('a payload is shown as text when it is text, and is exact in base64', () => {
  const message = (bytes: Buffer): string => entryToJson({ kind: 'message', id: 1, topic: 't', payload: bytes, qos: 0, retain: true, expiresAt: 0, publisher: null, properties: null }); // prettier-ignore
  assert.match(message(Buffer.from('21.5')), /"text":"21\.5","payload":"MjEuNQ=="/);
  assert.match(message(Buffer.from([0xff, 0x00])), /"topic":"t","payload":"\/wA="/);
});

test('a line written by hand may leave out what has a usual value', () => {
  assert.deepEqual(entryFromJson('{"kind":"session","clientId":"c"}'), {
    kind: 'session', clientId: 'c', username: null, port: 0, version: null, expiryInterval: 0xffff_ffff, endsAt: 0, will: null,
  }); // prettier-ignore
  const message = entryFromJson('{"kind":"message","id":"x","topic":"t","text":"on"}');
  assert.ok(message?.kind === 'message' && Buffer.from(message.payload).toString() === 'on');
});
