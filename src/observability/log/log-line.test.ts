import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { lineBytesMax, lineFormatter } from './log-line.ts';

const plain = lineFormatter({ timestamp: false, timestampFormat: null }, () => 0);

test('a line starts with unix seconds unless the configuration wants another form or none', () => {
  const wall = () => 1_795_301_780_999;
  assert.equal(lineFormatter({ timestamp: true, timestampFormat: null }, wall)('Hello.'), '1795301780: Hello.');
  assert.equal(lineFormatter({ timestamp: true, timestampFormat: '[%s]' }, wall)('Hello.'), '[1795301780]: Hello.');
  assert.equal(lineFormatter({ timestamp: false, timestampFormat: '[%s]' }, wall)('Hello.'), 'Hello.');
});

test('the prefix follows the clock', () => {
  let now = 1000;
  const format = lineFormatter({ timestamp: true, timestampFormat: null }, () => now);
  assert.equal(format('a'), '1: a');
  now = 2999;
  assert.equal(format('a'), '2: a');
});

test('a client id with a newline in it does not start a new line', () => {
  assert.equal(plain('Client x\n1: Client root connected'), 'Client x\\n1: Client root connected');
});

test('a topic cannot colour the terminal, ring its bell or turn the writing direction round', () => {
  assert.equal(plain('\x1b[31m\x07\u009b\u202e\u2028\r'), '\\x1b[31m\\x07\\x9b\\u202e\\u2028\\r');
});

test('a TAB in front of a filter stays', () => {
  assert.equal(plain('\tsport/# (QoS 1)'), '\tsport/# (QoS 1)');
});

test('whatever a peer calls itself, its line is one line of at most 1000 bytes of good UTF-8', () => {
  const words = fc.string({ unit: 'binary', maxLength: 2000 });
  fc.assert(
    fc.property(words, text => {
      const bytes = Buffer.from(plain(text));
      assert.ok(bytes.length <= lineBytesMax);
      assert.ok(!bytes.includes(10) && !bytes.includes(13) && !bytes.includes(0x1b));
    }),
  );
  const long = plain('ü€😀'.repeat(300));
  assert.ok(long.endsWith('...') && !long.includes('\ufffd') && Buffer.byteLength(long) > lineBytesMax - 4);
});
