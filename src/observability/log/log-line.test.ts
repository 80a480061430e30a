import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { About } from '../../base/mod.ts';
import { lineBytesMax, type LineStyle, textLines } from './log-line.ts';

function lineFormatter(style: LineStyle, wall: () => number): (text: string) => string {
  const write = textLines(style, wall);
  return text => write('notice', text, null);
}

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

test("a line of ours ends in its code, Mosquitto's stay as they are and the code stands below them, once", () => {
  const write = textLines({ timestamp: false, timestampFormat: null }, () => 0);
  const lines = (about: About, ...texts: string[]): string[] => texts.map(text => write('error', text, about));
  assert.deepEqual(lines({ code: 'backend.silent' }, 'It is silent.', '  Wake it.'), [
    'It is silent. [backend.silent]',
    '  Wake it.',
  ]);
  assert.deepEqual(lines({ code: 'dynsec.not-loaded' }, 'Error loading.', '  Because.', '  Do this.', 'Error.'), [
    'Error loading.',
    '  Because. [dynsec.not-loaded]',
    '  Do this.',
    'Error.',
  ]);
  assert.deepEqual(lines({ code: 'client.connected' }, 'New client.', '  More.'), ['New client.', '  More.']);
  assert.match(lines({ code: 'broker.fault' }, 'x'.repeat(5000))[0] ?? '', /x\.\.\. \[broker\.fault\]$/);
});
