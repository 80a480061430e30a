/** MQTT's UTF-8 against the platform's decoder and the list of what MQTT leaves out. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isMqttUtf8, utf8Text } from './mod.ts';

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function isForbidden(point: number): boolean {
  return (
    point <= 0x1f ||
    (point >= 0x7f && point <= 0x9f) ||
    (point >= 0xfdd0 && point <= 0xfdef) ||
    (point & 0xffff) >= 0xfffe ||
    (point >= 0xd800 && point <= 0xdfff)
  );
}

/** The slow, obvious judgement. */
function model(bytes: Buffer): boolean {
  try {
    return [...strict.decode(bytes)].every(character => !isForbidden(character.codePointAt(0)!));
  } catch {
    return false;
  }
}

test('every code point is judged as the model judges it', () => {
  for (let point = 0; point <= 0x10ffff; point += 1) {
    if (point >= 0xd800 && point <= 0xdfff) continue;
    const bytes = Buffer.from(String.fromCodePoint(point));
    if (isMqttUtf8(bytes, 0, bytes.length) === isForbidden(point)) assert.fail(`U+${point.toString(16)}`);
  }
});

test('every sequence of two bytes, and random longer ones, is judged as the model judges it', () => {
  for (let first = 0; first < 256; first += 1)
    for (let second = 0; second < 256; second += 1) {
      const bytes = Buffer.of(first, second);
      if (isMqttUtf8(bytes, 0, 2) !== model(bytes)) assert.fail(bytes.toString('hex'));
    }
  const tail = fc.constantFrom(0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0);
  const lead = fc.constantFrom(0x41, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xed, 0xef, 0xf0, 0xf1, 0xf4, 0xf5, 0xff);
  fc.assert(
    fc.property(fc.array(fc.oneof(tail, lead), { maxLength: 6 }), list => {
      const bytes = Buffer.from(list);
      assert.equal(isMqttUtf8(bytes, 0, bytes.length), model(bytes), bytes.toString('hex'));
    }),
    { numRuns: 20_000 },
  );
});

test('text is decoded whole, U+FEFF included', () => {
  for (const text of ['plain', 'é', '\ufeffx', '😀/a']) {
    const bytes = Buffer.from(`-${text}-`);
    assert.equal(utf8Text(bytes, 1, bytes.length - 1), text);
  }
});
