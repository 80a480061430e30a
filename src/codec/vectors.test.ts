/** The shared vectors: decoded, encoded, cut at every place, and with every byte replaced by every other. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PacketError } from './mod.ts';
import type { ProtocolVersion } from './mod.ts';
import { decodePacket, encodePacket, framed, tryDecode } from './vectors/any-packet.ts';
import { badVectors } from './vectors/bad.ts';
import { goodVectors } from './vectors/good.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

/** What a packet may be answered with for being wrong: the reason codes that readers give. */
const READER_REASONS = new Set([0x81, 0x82, 0x84, 0x85]);

/** All vectors, good and bad, cut into first byte and body. */
const seeds: [name: string, version: ProtocolVersion, first: number, body: Buffer][] = [
  ...goodVectors.map(({ name, version, bytes }) => [name, version, hex(bytes)] as const),
  ...badVectors.map(([name, version, bytes]) => [name, version, hex(bytes)] as const),
].map(([name, version, bytes]) => [name, version, bytes[0]!, bytes.subarray(2)]);

for (const { name, version, bytes, any } of goodVectors) {
  test(`${name} is read`, () => assert.deepEqual(decodePacket(hex(bytes), version), any));
  test(`${name} is written`, () =>
    assert.equal(encodePacket(any, version).toString('hex'), hex(bytes).toString('hex')));
}

for (const [name, version, bytes, reasonCode, answer] of badVectors)
  test(`${name} is refused with 0x${reasonCode.toString(16)} (${answer})`, () => {
    const packet = tryDecode(hex(bytes), version);
    assert.ok(packet instanceof PacketError, 'it was read as a packet');
    assert.deepEqual([packet.reasonCode, packet.answer.kind], [reasonCode, answer]);
  });

/** A packet that is read can be written, and what is written is read as the same packet; or it is refused in order. */
function holds(bytes: Buffer, version: ProtocolVersion): void {
  const read = tryDecode(bytes, version);
  if (read instanceof PacketError) {
    assert.ok(READER_REASONS.has(read.reasonCode), `reason 0x${read.reasonCode.toString(16)}`);
    return;
  }
  const own = read.type === 'connect' ? read.packet.version : version;
  assert.deepEqual(decodePacket(encodePacket(read, own), own), read);
}

test('every vector cut at every place gives a packet or a reason', () => {
  for (const [name, version, first, body] of seeds)
    for (let length = 0; length < body.length; length += 1) {
      const bytes = framed(first, body.subarray(0, length));
      assert.doesNotThrow(() => holds(bytes, version), `${name}: ${bytes.toString('hex')}`);
    }
});

test('every vector with any one byte replaced gives a packet or a reason', () => {
  for (const [name, version, first, body] of seeds)
    for (let at = -1; at < body.length; at += 1)
      for (let value = 0; value < 256; value += 1) {
        if (at === -1 && value >> 4 === 0) continue; // type 0 is no packet: the broker refuses it before reading
        const changed = Buffer.from(body);
        if (at >= 0) changed[at] = value;
        const bytes = framed(at === -1 ? value : first, changed);
        try {
          holds(bytes, version);
        } catch (error) {
          assert.fail(`${name}: ${bytes.toString('hex')} in version ${version}: ${String(error)}`);
        }
      }
});

test('every vector with one byte put in or taken out gives a packet or a reason', () => {
  for (const [name, version, first, body] of seeds)
    for (let at = 0; at <= body.length; at += 1)
      for (const middle of [[], [0], [1], [0x7f], [0x80], [0xff]]) {
        const bytes = framed(first, Buffer.concat([body.subarray(0, at), Buffer.from(middle), body.subarray(at + 1)]));
        try {
          holds(bytes, version);
        } catch (error) {
          assert.fail(`${name}: ${bytes.toString('hex')} in version ${version}: ${String(error)}`);
        }
      }
});
