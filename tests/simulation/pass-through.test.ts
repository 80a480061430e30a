/** What a QoS 0 subscriber gets is what the specification says of the message, however oddly it was sent. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Quick } from './quick.ts';
import { World } from './world.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

/** Publisher's version, what it sends, and what subscribers of 3.1.1 and 5 get; topic `t`, payload `x`. */
const cases: [name: string, version: 4 | 5, sent: string, to4: string, to5: string][] = [
  ['plain', 4, '30 04 000174 78', '30 04 000174 78', '30 05 000174 00 78'],
  ['retained, which is news to those who are there', 4, '31 04 000174 78', '30 04 000174 78', '30 05 000174 00 78'],
  ['a length longer than it need be', 4, '30 8400 000174 78', '30 04 000174 78', '30 05 000174 00 78'],
  ['plain', 5, '30 05 000174 00 78', '30 04 000174 78', '30 05 000174 00 78'],
  ['properties of the message', 5, '30 0a 000174 05 0900026162 78', '30 04 000174 78', '30 0a 000174 05 0900026162 78'],
  ['an alias, which belongs to its connection', 5, '30 08 000174 03230001 78', '30 04 000174 78', '30 05 000174 00 78'],
  ['an expiry of zero, which is none', 5, '30 0a 000174 05 0200000000 78', '30 04 000174 78', '30 05 000174 00 78'],
];

for (const [name, version, sent, to4, to5] of cases) {
  test(`MQTT ${version === 5 ? '5' : '3.1.1'}, ${name}`, () => {
    const world = new World();
    const readers = [4 as const, 5 as const].map(reads => {
      const reader = new Quick(world, { clientId: `reader ${reads}`, version: reads }).subscribe('t');
      reader.hear();
      return reader;
    });
    const writer = new Quick(world, { clientId: 'writer', version });
    writer.say(hex(sent));
    assert.deepEqual(
      readers.map(({ link }) => link.read(Infinity).toString('hex')),
      [to4, to5].map(text => text.replaceAll(' ', '')),
    );
    // And the same when the packet comes in two pieces.
    writer.say(hex(sent).subarray(0, 3)).say(hex(sent).subarray(3));
    assert.deepEqual(
      readers.map(({ link }) => link.read(Infinity).toString('hex')),
      [to4, to5].map(text => text.replaceAll(' ', '')),
    );
  });
}
