import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Message } from '../../client/mod.ts';
import { compileFormat, FormatFault, type Arrival } from './format.ts';
import { jsonOf } from './json.ts';

const message: Message = {
  topic: 'house/lamp',
  payload: Buffer.from('hello'),
  qos: 1,
  retain: false,
  dup: false,
  packetId: 7,
  properties: { contentType: 'text', userProperties: [['a', '1'], ['b', '2']], messageExpiryInterval: 44 }, // prettier-ignore
  subscriptionIdentifiers: [],
};
const when = new Date(2026, 10, 3, 9, 5, 7, 123);

function printed(format: string, changes: Partial<Message> = {}): string {
  const arrival: Arrival = { message: { ...message, ...changes }, when, nanoseconds: 123_456_789 };
  const context = { pretty: false, complain: (line: string) => complaints.push(line) };
  return Buffer.concat(compileFormat(format).map(piece => Buffer.from(piece(arrival, context)))).toString();
}
const complaints: string[] = [];

test('every specifier prints what its letter stands for', () => {
  assert.equal(printed('%t %p %l %m %q %r %C %E %P %%'), 'house/lamp hello 5 7 1 0 text 44 a:1 b:2 %');
  assert.equal(printed('%x %X'), '68656c6c6f 68656C6C6F');
});

test('width pads, the minus sign pads on the right, and zeros go before numbers and payloads', () => {
  assert.equal(printed('[%12t][%-12t][%.3t][%8.3t]'), '[  house/lamp][house/lamp  ][hou][     hou]');
  assert.equal(printed('[%5l][%-5l][%05l]'), '[    5][5    ][00005]');
  assert.equal(printed('[%8p][%-8p][%08p]'), '[   hello][hello   ][000hello]');
});

test('a width cuts payloads, in hexadecimal too', () => {
  assert.equal(printed('[%3p][%3x]'), '[hel][68656c]');
});

test('a precision groups hexadecimal digits with the separator behind it', () => {
  assert.equal(printed('%.2 x'), '68 65 6c 6c 6f');
  assert.equal(printed('%.1:x', { payload: Buffer.from('he') }), '6:8:6:5');
});

test('what is not there prints as blanks of its width, or as nothing', () => {
  const properties = {};
  assert.equal(printed('[%C][%5C][%A][%4A][%S][%R][%P]', { properties }), '[][     ][][    ][][][]');
});

test('floats and doubles are read from payloads of their length, and others are told on standard error', () => {
  const float = Buffer.alloc(4);
  float.writeFloatLE(1.5);
  assert.equal(printed('%.2f', { payload: float }), '1.50');
  const double = Buffer.alloc(8);
  double.writeDoubleLE(-2.25);
  assert.equal(printed('[%09.3d]', { payload: double }), '[-0002.250]');
  assert.equal(printed('%f'), '');
  assert.equal(complaints.at(-1), 'requested float printing, but non-float data received');
});

test('times are local, with the letters of strftime', () => {
  assert.equal(printed('@Y-@m-@d @H:@M:@S.@N @@'), '2026-11-03 09:05:07.123456789 @');
  assert.match(printed('%I'), /^2026-11-03T09:05:07[+-]\d{4}$/);
  assert.match(printed('%U'), /^\d+\.123456789$/);
});

test('escapes are those of C', () => {
  assert.equal(printed('a\\tb\\n\\\\\\e\\0'), 'a\tb\n\\\x1b\0');
});

test("a wrong format is answered with Mosquitto's line", () => {
  const fault = (format: string) => {
    try {
      compileFormat(format);
      return null;
    } catch (error) {
      assert.ok(error instanceof FormatFault);
      return error.message;
    }
  };
  assert.equal(fault('%Q'), "Invalid format specifier 'Q'.");
  assert.equal(fault('abc%'), 'Incomplete format specifier.');
  assert.equal(fault('%5'), 'Incomplete format specifier.');
  assert.equal(fault('@'), 'Incomplete format specifier.');
  assert.equal(fault('\\q'), "Invalid escape specifier 'q'.");
  assert.equal(fault('\\'), 'Incomplete escape specifier.');
});

test('any format is printed or refused with a reason', () => {
  const letters = fc.constantFrom(...'%@\\-0123.AdfjJpxXt nq:');
  fc.assert(
    fc.property(fc.array(letters, { maxLength: 12 }), parts => {
      try {
        printed(parts.join(''));
      } catch (error) {
        assert.ok(error instanceof FormatFault, String(error));
      }
    }),
  );
});

test('%j has the keys of mosquitto_sub 2.1 in their order', () => {
  const json = printed('%j');
  assert.deepEqual(Object.keys(JSON.parse(json) as object), [
    'tst', 'topic', 'qos', 'retain', 'payloadlen', 'mid', 'properties', 'payload',
  ]); // prettier-ignore
  assert.match(json, /"tst":"2026-11-03T09:05:07\.123456[+-]\d{4}"/);
  assert.match(json, /"user-properties":\[{"a":"1"},{"b":"2"}\]/);
  assert.match(printed('%j', { payload: Buffer.alloc(0), qos: 0, properties: {} }), /"payloadlen":0,"payload":null}$/);
});

test('%J inserts the payload as JSON, and a payload that is none prints nothing and is told', () => {
  assert.match(printed('%J', { payload: Buffer.from('{"on": true}') }), /"payload":{"on":true}}$/);
  assert.equal(printed('%J'), '');
  assert.equal(complaints.at(-1), 'Error: Message payload is not valid JSON on topic house/lamp.');
});

test('%J keeps every digit of long integers', () => {
  const payload = Buffer.from('{"id":12345678901234567890,"low":-9007199254740993,"n":1.50}');
  const arrival: Arrival = { message: { ...message, payload }, when, nanoseconds: 0 };
  assert.match(jsonOf(arrival, 'json', false) ?? '', /{"id":12345678901234567890,"low":-9007199254740993,"n":1\.5}/);
  assert.match(jsonOf(arrival, 'json', true) ?? '', /"id":\t12345678901234567890,/);
});

test('--pretty indents with tabs', () => {
  const arrival: Arrival = { message: { ...message, qos: 0, properties: {} }, when, nanoseconds: 0 };
  const lines = (jsonOf(arrival, 'text', true) ?? '').split('\n');
  assert.equal(lines[0], '{');
  assert.equal(lines[2], '\t"topic":\t"house/lamp",');
  assert.equal(lines.at(-2), '\t"payload":\t"hello"');
});
