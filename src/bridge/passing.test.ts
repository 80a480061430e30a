import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EchoGuard, hasBeenAt, onward } from './passing.ts';
import { Pause } from './pause.ts';
import { inConfigurationWords } from './words.ts';

test('a message that has been at a broker is known there, and nowhere else', () => {
  const properties = onward(onward({ contentType: 't', userProperties: [['mine', 'x']] }, ['A']), ['B', null]);
  assert.deepEqual(properties.userProperties, [['mine', 'x'], ['zancudo-via', 'A'], ['zancudo-via', 'B']]); // prettier-ignore
  assert.deepEqual([hasBeenAt(properties, ['A']), hasBeenAt(properties, ['C', null]), hasBeenAt({}, ['A'])], [true, false, false]); // prettier-ignore
});

test('a message that has gone through very many bridges goes no further', () => {
  let properties = {};
  for (let i = 0; i < 20; i++) properties = onward(properties, [`broker ${i}`]);
  assert.ok(hasBeenAt(properties, ['another']));
});

test('what belongs to one hop stays there', () => {
  assert.deepEqual(onward({ topicAlias: 3, subscriptionIdentifier: 1, messageExpiryInterval: 9 }, []), { messageExpiryInterval: 9 }); // prettier-ignore
});

test('as many echoes as were sent are recognised, and not one more', () => {
  const guard = new EchoGuard();
  const payload = Buffer.alloc(100, 'x');
  guard.sent('a', payload, 0);
  guard.sent('a', payload, 0);
  assert.deepEqual([1, 2, 3].map(now => guard.recognises('a', payload, now)), [true, true, false]); // prettier-ignore
  guard.sent('a', payload, 10);
  assert.ok(!guard.recognises('b', payload, 11) && !guard.recognises('a', Buffer.from('y'), 11));
  assert.ok(!guard.recognises('a', payload, 60_000), 'an echo that late is somebody else');
});

test('pauses stay between base and cap, the first is short, and one number is always the same', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 1000 }), fc.double({ min: 0, max: 1, noNaN: true }), (base, more, random) => {
      const [pause, timeout] = [new Pause(), { baseSeconds: base, capSeconds: base + more, stableSeconds: 0 }];
      const all = Array.from({ length: 6 }, () => pause.nextMs(timeout, () => random));
      assert.ok(all[0]! <= base * 2000);
      assert.ok(all.every(ms => ms >= base * 1000 && ms <= (base + more) * 1000));
      assert.equal(new Pause().nextMs({ baseSeconds: base, capSeconds: base, stableSeconds: 0 }), base * 1000);
    }),
  ); // prettier-ignore
});

test('remedies name the options of a bridge, not the flags of the command line', () => {
  const text = 'Give it one with --cert and --key, or --psk and --psk-identity; is it of this version of MQTT (-V)?';
  assert.equal(inConfigurationWords(text), 'Give it one with bridge_certfile and bridge_keyfile, or bridge_psk and bridge_identity; is it of this version of MQTT (bridge_protocol_version)?'); // prettier-ignore
});
