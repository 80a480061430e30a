import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Payloads } from './payloads.ts';

test('every payload that is kept stays what it was, short or long', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(5000), { maxLength: 60 }), lengths => {
      const payloads = new Payloads();
      const kept = lengths.map((length, mark) => {
        payloads.keep(Buffer.alloc(length + 2, mark).fill(0xff, 0, 1), 1, length + 1);
        return payloads.bytes.subarray(payloads.start, payloads.start + length);
      });
      for (const [mark, bytes] of kept.entries()) {
        assert.equal(bytes.length, lengths[mark]);
        assert.ok(bytes.every(byte => byte === mark));
      }
    }),
  );
});

test('a long payload does not keep the memory of others', () => {
  const payloads = new Payloads();
  payloads.keep(Buffer.alloc(4000), 0, 4000);
  assert.equal(payloads.bytes.buffer.byteLength, 4000);
});
