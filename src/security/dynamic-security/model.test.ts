import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { commands } from './commands.ts';
import { CommandRefused, Fields } from './fields.ts';
import { readRules, writeRules } from './file.ts';
import { Model } from './model.ts';
import { byteOrder, Named } from './named.ts';

const name = fc.constantFrom('a', 'b', 'c');
const priority = fc.integer({ min: -2, max: 2 });
const linksOf = (member: string): fc.Arbitrary<object[]> =>
  fc.array(fc.record({ [member]: name, priority }, { requiredKeys: [member] }), { maxLength: 3 });
const acl = fc.record({ acltype: fc.constantFrom('publishClientSend', 'subscribeLiteral'), topic: name, allow: fc.boolean(), priority }); // prettier-ignore
const anyCommand = fc.record(
  {
    command: fc.constantFrom(...commands.map(each => each.name)),
    username: name,
    groupname: name,
    rolename: name,
    clientid: name,
    textname: name,
    priority,
    acltype: fc.constantFrom('publishClientSend', 'subscribeLiteral'),
    topic: name,
    allow: fc.boolean(),
    roles: linksOf('rolename'),
    groups: linksOf('groupname'),
    clients: linksOf('username'),
    acls: fc.array(acl, { maxLength: 3 }),
  },
  { requiredKeys: ['command', 'username', 'groupname', 'rolename'] },
);

function run(model: Model, fields: { command: string } & Record<string, unknown>): void {
  const command = commands.find(each => each.name === fields.command)!;
  try {
    command.run(new Fields(fields, true), { model, hashed: null, connections: () => new Map(), kick: () => {} });
  } catch (error) {
    if (!(error instanceof CommandRefused)) throw error;
  }
}

test('after any commands the file holds all there is, and members know their groups', () => {
  fc.assert(
    fc.property(fc.array(anyCommand, { maxLength: 40 }), list => {
      const model = new Model();
      for (const fields of list) run(model, fields);
      const again = readRules(writeRules(model))!;
      assert.equal(writeRules(again), writeRules(model));
      for (const username of ['a', 'b', 'c']) assert.deepEqual(again.groupsOf(username), model.groupsOf(username));
      const linked = [...model.clients.values(), ...model.groups.values()].flatMap(({ roles }) => roles);
      assert.ok(
        linked.every(link => model.roles.get(link.name) !== undefined),
        'no link to a role that is gone',
      );
    }),
    { numRuns: 300 },
  );
});

test('names stand in the order of their bytes, however they came and went', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.string({ unit: 'binary', maxLength: 3 }), fc.boolean())), changes => {
      const named = new Named<number>();
      const expected = new Set<string>();
      for (const [text, isThere] of changes) {
        if (isThere) named.set(text, expected.add(text).size);
        else named.delete(text);
        if (!isThere) expected.delete(text);
      }
      const sorted = [...expected].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      assert.deepEqual(named.sortedNames(), sorted);
    }),
  );
  assert.ok(byteOrder('\uffee', '\u{10000}') < 0);
});
