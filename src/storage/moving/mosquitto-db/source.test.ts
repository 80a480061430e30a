import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import type { Entry } from '../entry.ts';
import { MovingError } from '../moving-error.ts';
import { chunks, expectedEntries, folderFor, mosquittoDb, propertiesToJson } from '../shared.test.ts';
import { MosquittoDb } from './source.ts';

interface Read {
  entries: Entry[];
  losses: string[];
}

function reader(t: TestContext): (bytes: Buffer) => Read {
  const file = join(folderFor(t), 'mosquitto.db');
  return bytes => {
    writeFileSync(file, bytes);
    const source = new MosquittoDb(file, propertiesToJson);
    const entries = [...source.entries()];
    source.close();
    return { entries, losses: source.losses() };
  };
}

for (const format of [3, 4, 5, 6]) {
  test(`format ${format} is read whole, from whatever machine it comes`, t => {
    const read = reader(t);
    for (const is32Bit of [false, true]) {
      assert.deepEqual(read(mosquittoDb(format, { is32Bit })), { entries: expectedEntries(format), losses: [] });
    }
    const big = read(mosquittoDb(format, { bigEndian: true }));
    assert.deepEqual(big.losses, []);
    const times = ({ entries }: { entries: Entry[] }): unknown[] =>
      entries.map(entry => ('expiresAt' in entry ? entry.expiresAt : 'endsAt' in entry ? entry.endsAt : null));
    assert.deepEqual(times(big), times({ entries: expectedEntries(format) }));
  });

  test(`format ${format}, cut anywhere: everything before the cut comes`, t => {
    const read = reader(t);
    const whole = mosquittoDb(format);
    const ends = chunks(format).map((_, i, all) => all.slice(0, i + 1).reduce((sum, each) => sum + each.length, 0));
    for (let length = ends[0]!; length < whole.length; length++) {
      const { entries, losses } = read(whole.subarray(0, length));
      // The chunk of the configuration is no entry.
      const complete = Math.max(0, ends.filter(end => end <= length).length - 2);
      assert.deepEqual(entries, expectedEntries(format).slice(0, complete), `cut at ${length}`);
      assert.equal(losses.length, ends.includes(length) ? 0 : 1);
    }
  });

  test(`format ${format}, any byte changed: it costs the entry that the byte is in and no other`, t => {
    const read = reader(t);
    const parts = chunks(format);
    const expected = expectedEntries(format);
    let at = parts[0]!.length;
    for (const [index, part] of parts.slice(1).entries()) {
      for (const to of [0xff, 0x01]) {
        for (let i = 0; i < part.length; i++) {
          const bytes = mosquittoDb(format);
          bytes[at + i] = to;
          const { entries } = read(bytes);
          const others = expected.filter((_, each) => each !== index - 1);
          assert.equal(
            others.filter(each => !entries.some(found => isDeepStrictEqual(found, each))).length,
            0,
            `byte ${at + i}`,
          );
        }
      }
      at += part.length;
    }
  });
}

test('a length that damage made up costs neither memory nor the rest of the file', t => {
  const parts = chunks(6);
  parts[2]!.writeUInt32BE(0xffff_fff0, 4);
  const { entries, losses } = reader(t)(Buffer.concat(parts));
  assert.equal(entries.length, expectedEntries(6).length - 1);
  assert.match(losses[0] ?? '', /^Damaged: 54 bytes in 1 place could not be read\.$/);
});

test('properties that make no sense cost the properties, and not the message', t => {
  const parts = chunks(6);
  parts[2]![parts[2]!.length - 2] = 0x7f;
  const { entries, losses } = reader(t)(Buffer.concat(parts));
  assert.equal(entries.length, expectedEntries(6).length);
  assert.deepEqual(losses, ['Damaged: the properties of 1 messages were lost.']);
});

test('a format of tomorrow, or of long ago, is refused and named', t => {
  const read = reader(t);
  for (const format of [2, 7]) {
    const bytes = mosquittoDb(6);
    bytes.writeUInt32BE(format, 19);
    assert.throws(() => read(bytes), (error: unknown) => error instanceof MovingError && error.lines[0]!.includes(`version ${format} (need version 6)`)); // prettier-ignore
  }
  assert.throws(() => read(mosquittoDb(6).subarray(0, 20)), /ends before its first entry/);
});
