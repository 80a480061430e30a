import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SpareMemory } from '../base/mod.ts';
import { FrameReader, frameStatus } from './frame-reader.ts';

/** A PUBLISH of 100,000 bytes in chunks, each byte of its body `mark`. */
function chunks(mark: number): Buffer[] {
  const body = Buffer.alloc(100_000, mark);
  const packet = Buffer.concat([Buffer.from([0x30, 0xa0, 0x8d, 0x06]), body]);
  return [packet.subarray(0, 30_000), packet.subarray(30_000, 70_000), packet.subarray(70_000)];
}

test('packets that cross chunks are put together in the same memory, one after another', () => {
  const reader = new FrameReader(new Array<number>(16).fill(0), new SpareMemory());
  const places = new Set<ArrayBufferLike>();
  for (let mark = 0; mark < 50; mark++) {
    const statuses = chunks(mark).map(chunk => {
      reader.push(chunk);
      return reader.next();
    });
    assert.deepEqual(statuses, [frameStatus.wait, frameStatus.wait, frameStatus.packet]);
    assert.ok(reader.bytes.subarray(reader.start, reader.end).every(byte => byte === mark));
    places.add(reader.bytes.buffer);
    assert.equal(reader.next(), frameStatus.wait);
  }
  assert.ok(places.size <= 3, `${places.size} places`);
});

test('without such memory a packet stays as it is', () => {
  const reader = new FrameReader(new Array<number>(16).fill(0));
  const read = (mark: number): Buffer => {
    for (const chunk of chunks(mark)) {
      reader.push(chunk);
      reader.next();
    }
    return reader.bytes.subarray(reader.start, reader.end);
  };
  const first = read(1);
  reader.next();
  read(2);
  assert.ok(first.every(byte => byte === 1));
});
