/** The frame reader: the same packets however the stream is cut, and never more memory than has arrived. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FrameReader, frameStatus } from './mod.ts';
import { framed, NO_LIMITS } from './vectors/any-packet.ts';
import { goodVectors } from './vectors/good.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

/** Feeds the chunks and gives every packet as whole bytes, and the status that ended it. */
function cut(chunks: readonly Buffer[], limits: readonly number[] = NO_LIMITS): { packets: string[]; end: number } {
  const reader = new FrameReader(limits);
  const packets: string[] = [];
  for (const chunk of chunks) {
    reader.push(chunk);
    for (let status = reader.next(); status !== frameStatus.wait; status = reader.next()) {
      if (status !== frameStatus.packet) return { packets, end: status };
      packets.push(framed(reader.first, reader.bytes.subarray(reader.start, reader.end)).toString('hex'));
    }
  }
  return { packets, end: frameStatus.wait };
}

/** Cuts a stream at these places, whatever their order. */
function chunksOf(stream: Buffer, places: readonly number[]): Buffer[] {
  const borders = [0, ...places.map(place => place % (stream.length + 1)), stream.length].sort((a, b) => a - b);
  return borders.slice(1).map((end, index) => stream.subarray(borders[index], end));
}

test('random chunks give the same packets as one chunk', () => {
  const body = fc.uint8Array({ maxLength: 400 }).map(bytes => framed(0x30, Buffer.from(bytes)));
  const packet = fc.oneof(body, fc.constantFrom(...goodVectors.map(vector => hex(vector.bytes))));
  fc.assert(
    fc.property(fc.array(packet, { maxLength: 12 }), fc.array(fc.nat(), { maxLength: 30 }), (packets, places) => {
      const { packets: seen, end } = cut(chunksOf(Buffer.concat(packets), places));
      assert.deepEqual(
        seen,
        packets.map(bytes => bytes.toString('hex')),
      );
      assert.equal(end, frameStatus.wait);
    }),
    { numRuns: 500 },
  );
});

test('a stream that comes one byte at a time gives the same packets', () => {
  const packets = [...goodVectors.map(vector => hex(vector.bytes)), framed(0x30, Buffer.alloc(20_000, 7))];
  const bytes = [...Buffer.concat(packets)].map(byte => Buffer.of(byte));
  assert.deepEqual(
    cut(bytes).packets,
    packets.map(packet => packet.toString('hex')),
  );
});

test('a packet inside one chunk is a view of it', () => {
  const chunk = hex('c000 300400017400');
  const reader = new FrameReader(NO_LIMITS);
  reader.push(chunk);
  for (let n = 0; n < 2; n += 1) {
    assert.equal(reader.next(), frameStatus.packet);
    assert.equal(reader.bytes, chunk);
  }
});

test('a packet handed out stays as it was while the next ones are read', () => {
  const first = framed(0x30, Buffer.alloc(50, 1));
  const second = framed(0x30, Buffer.alloc(50, 2));
  const stream = Buffer.concat([first, second]);
  const reader = new FrameReader(NO_LIMITS);
  reader.push(stream.subarray(0, 20));
  assert.equal(reader.next(), frameStatus.wait);
  reader.push(stream.subarray(20, 60));
  assert.equal(reader.next(), frameStatus.packet);
  const body = reader.bytes.subarray(reader.start, reader.end);
  assert.equal(reader.next(), frameStatus.wait);
  reader.push(stream.subarray(60));
  assert.equal(reader.next(), frameStatus.packet);
  assert.deepEqual(body, Buffer.alloc(50, 1));
});

test('a fifth length byte is malformed, however it arrives', () => {
  const stream = hex('30 80 80 80 80 01');
  assert.equal(cut([stream]).end, frameStatus.malformedLength);
  assert.equal(cut([...stream].map(byte => Buffer.of(byte))).end, frameStatus.malformedLength);
});

test('the largest length there is, is understood', () => {
  const reader = new FrameReader(NO_LIMITS);
  reader.push(hex('30 ff ff ff 7f 00'));
  assert.equal(reader.next(), frameStatus.wait);
});

test('a packet of exactly the limit passes, one byte more is too large as soon as its header is there', () => {
  const limits = [...NO_LIMITS];
  limits[3] = 100;
  assert.equal(cut([framed(0x30, Buffer.alloc(98))], limits).packets.length, 1);
  assert.equal(cut([framed(0x30, Buffer.alloc(99))], limits).end, frameStatus.tooLarge);
  assert.equal(cut([hex('30 63')], limits).end, frameStatus.tooLarge);
  assert.equal(cut([hex('30'), hex('63')], limits).end, frameStatus.tooLarge);
  assert.equal(cut([framed(0x82, Buffer.alloc(200))], limits).packets.length, 1, 'each type has its own limit');
});

test('a peer that announces the largest packet and sends little costs little', () => {
  const before = process.memoryUsage().arrayBuffers;
  const readers = Array.from({ length: 200 }, () => {
    const reader = new FrameReader(NO_LIMITS);
    for (const chunk of [hex('30 ff ff ff'), hex('7f 00'), Buffer.alloc(100)]) {
      reader.push(chunk);
      assert.equal(reader.next(), frameStatus.wait);
    }
    return reader;
  });
  assert.ok(
    process.memoryUsage().arrayBuffers - before < 1_000_000,
    `${readers.length} readers took a megabyte or more`,
  );
});

test('a packet that is put back comes again, whole, in front of what has not been read', () => {
  const stream = Buffer.concat([Buffer.from([0x30, 200, 1]), Buffer.alloc(200, 7), Buffer.from([0xd0, 0])]);
  for (const at of [1, 2, 100, stream.length]) {
    const reader = new FrameReader(NO_LIMITS);
    reader.push(stream.subarray(0, at));
    if (at < stream.length) {
      assert.equal(reader.next(), frameStatus.wait);
      reader.push(stream.subarray(at));
    }
    const lengths: number[] = [];
    for (const again of [true, true, false, false]) {
      assert.equal(reader.next(), frameStatus.packet);
      lengths.push(reader.end - reader.start);
      if (again) reader.putBack();
    }
    assert.deepEqual(lengths, [200, 200, 200, 0]);
    assert.equal(reader.next(), frameStatus.wait);
  }
});

test('what its owner has not read yet stays in front of the next chunk', () => {
  const reader = new FrameReader(new Array<number>(16).fill(0));
  reader.push(Buffer.from([0xc0, 0, 0xd0, 0]));
  assert.equal(reader.next(), frameStatus.packet);
  reader.push(Buffer.from([0xe0, 0]));
  const firsts: number[] = [];
  while (reader.next() === frameStatus.packet) firsts.push(reader.first);
  assert.deepEqual(firsts, [0xd0, 0xe0]);
});
