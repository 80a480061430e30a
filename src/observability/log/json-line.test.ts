import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { jsonLineBytesMax, jsonLines } from './json-line.ts';

const wall = (): number => 1_795_301_780_118;
const style = { timestamp: true, timestampFormat: null };
const write = jsonLines(style, wall);

test('a line is one object with time, level, code and message, and what the message is about in fields', () => {
  const about = { code: 'client.refused', client: 'lamp1', user: null, address: '10.0.0.5', port: 41022 } as const;
  assert.deepEqual(JSON.parse(write('notice', '  lamp1 was refused.', about)), {
    time: '2026-11-21T22:56:20.118Z',
    level: 'notice',
    code: 'client.refused',
    message: 'lamp1 was refused.',
    client: 'lamp1',
    address: '10.0.0.5',
    port: 41022,
  });
});

test('log_timestamp and its format count for JSON, too', () => {
  const timeOf = (line: string): unknown => (JSON.parse(line) as { time?: unknown }).time;
  assert.equal(timeOf(jsonLines({ timestamp: false, timestampFormat: null }, wall)('error', 'x', null)), undefined);
  assert.equal(timeOf(jsonLines({ timestamp: true, timestampFormat: '%s' }, wall)('error', 'x', null)), '1795301780');
});

test('whatever a peer calls itself, its line is one printable line of JSON and 8 kB at most, and says what it called itself', () => {
  const words = fc.string({
    unit: fc.constantFrom('a', '"', '\\', '\n', '\0', '\x9b', '\u2028', '\u202e', '\ud800', '😀'),
  });
  fc.assert(
    fc.property(words, fc.nat(4000), (client, times) => {
      const topic = client.repeat(times);
      const line = write('notice', `${client} may not ${topic}`, { code: 'client.may-not', client, topic });
      assert.ok(Buffer.byteLength(line) <= jsonLineBytesMax);
      assert.doesNotMatch(line, /[\x00-\x1f\x7f-\x9f\u2028-\u202e]|\ud800(?![\udc00-\udfff])/);
      const read = JSON.parse(line) as { client: string; code: string };
      assert.equal(read.code, 'client.may-not');
      if (client.length <= 60) assert.equal(read.client, client);
    }),
  );
});
