import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { SecretAnswer } from '../secret-prompt.ts';
import { build, commandNamed, usageOf, type Desk } from './control-command.ts';
import { dynsecModule } from './dynsec-commands.ts';

const silent: Desk = { ask: () => Promise.resolve({ ok: false, because: 'empty' }), print: () => undefined };
const answering = (answer: SecretAnswer): Desk => ({ ...silent, ask: () => Promise.resolve(answer) });
const typed = (password: string): Desk => answering({ ok: true, password: Buffer.from(password) });

async function built(line: string, desk = silent) {
  const [name = '', ...words] = line.split(' ');
  const row = commandNamed(dynsecModule, name);
  assert.ok(row !== undefined, name);
  return build(row, words, desk);
}

/** The JSON that goes out, or the lines of the refusal. */
async function sent(line: string, desk = silent): Promise<string> {
  const outcome = await built(line, desk);
  return outcome.ok ? JSON.stringify(outcome.command) : outcome.lines.join('\n');
}

test('every command becomes the JSON that mosquitto_ctrl sends, member by member', async () => {
  const lines: Record<string, string> = {
    getDefaultACLAccess: '{"command":"getDefaultACLAccess"}',
    'setDefaultACLAccess subscribe allow':
      '{"command":"setDefaultACLAccess","acls":[{"acltype":"subscribe","allow":true}]}',
    'setAnonymousGroup g': '{"command":"setAnonymousGroup","groupname":"g"}',
    'createClient u -p p -i c': '{"command":"createClient","username":"u","clientid":"c","password":"p"}',
    'createClient u -c c -p p': '{"command":"createClient","username":"u","clientid":"c","password":"p"}',
    'createClient u --no-password': '{"command":"createClient","username":"u"}',
    'setClientPassword u p': '{"command":"setClientPassword","username":"u","password":"p"}',
    'setClientId u': '{"command":"setClientId","username":"u"}',
    'setClientId u c': '{"command":"setClientId","username":"u","clientid":"c"}',
    'addClientRole u r': '{"command":"addClientRole","username":"u","rolename":"r"}',
    'addClientRole u r 5': '{"command":"addClientRole","username":"u","rolename":"r","priority":5}',
    'addClientRole u r -1': '{"command":"addClientRole","username":"u","rolename":"r"}',
    listClients: '{"command":"listClients"}',
    'listClients 0': '{"command":"listClients"}',
    'listClients 5 2': '{"command":"listClients","count":5,"offset":2}',
    'addGroupClient g u 3': '{"command":"addGroupClient","groupname":"g","username":"u","priority":3}',
    'addRoleACL r SUBSCRIBEPATTERN a/# Deny 7':
      '{"command":"addRoleACL","rolename":"r","acltype":"subscribePattern","topic":"a/#","allow":false,"priority":7}',
    'removeRoleACL r subscribeLiteral a':
      '{"command":"removeRoleACL","rolename":"r","acltype":"subscribeLiteral","topic":"a"}',
    'modifyRole r allowWildcardSubs false': '{"command":"modifyRole","rolename":"r","allowwildcardsubs":false}',
    'modifyClient u textname The kitchen lamp':
      '{"command":"modifyClient","username":"u","textname":"The kitchen lamp"}',
  };
  for (const [line, json] of Object.entries(lines)) assert.equal(await sent(line), json, line);
});

test("the order of words in Mosquitto's shell is understood too", async () => {
  const rule = '{"command":"addRoleACL","rolename":"r","acltype":"subscribePattern","topic":"a/#","allow":true';
  assert.equal(await sent('addRoleACL r subscribePattern allow a/#'), `${rule}}`);
  assert.equal(await sent('addRoleACL r subscribePattern allow 4 a/#'), `${rule},"priority":4}`);
  assert.equal(
    await sent('createClient u p c'),
    '{"command":"createClient","username":"u","clientid":"c","password":"p"}',
  );
});

test('wrong arguments are invalid input, with what would be right, and end with 3', async () => {
  const lines: Record<string, RegExp> = {
    getClient: /^Error: Invalid input\.\n {2}Usage: getClient <username>$/,
    'getClient a b': /^Error: Invalid input\./,
    'addClientRole u r high': /'high' is no number \(priority\)\./,
    'addRoleACL r subscribe a allow': /'subscribe' is no acltype\. There are publishClientSend, /,
    'addRoleACL r subscribePattern a': /^Error: Invalid input\./,
    'addRoleACL r subscribePattern a maybe': /'maybe' must be allow or deny\./,
    'setDefaultACLAccess subscribe maybe': /^Error: access must be "allow" or "deny"\.\nError: Invalid input\./,
    'setDefaultACLAccess subscribe': /^Error: Invalid input\./,
    'createClient u -p': /^Error: -p argument given, but no password provided\.\nError: Invalid input\./,
    'createClient u -i': /^Error: -i argument given, but no clientid provided\./,
    'createClient u -p x --no-password': /^Error: -p and --no-password are mutually exclusive\./,
    'createClient u -x': /There is no option '-x'\./,
    createClient: /^Error: Invalid input\./,
    'modifyRole r allowwildcardsubs perhaps': /'perhaps' must be true or false\./,
    'modifyRole r colour red': /'colour' is no property\./,
  };
  for (const [line, expected] of Object.entries(lines)) {
    const outcome = await built(line);
    assert.ok(!outcome.ok && outcome.exitCode === 3, line);
    assert.match(outcome.lines.join('\n'), expected, line);
  }
});

test('a password that is not given is asked for; a new client may be left without one', async () => {
  const client = '{"command":"createClient","username":"u"';
  assert.equal(await sent('createClient u', typed('secret')), `${client},"password":"secret"}`);
  assert.equal(await sent('createClient u', silent), `${client}}`);
  assert.equal(await sent('setClientPassword u', silent), 'Error: Empty password.');
  const different = answering({ ok: false, because: 'different' });
  assert.equal(await sent('createClient u', different), 'Error: Passwords do not match.');
});

test('names of commands are taken in any case, and every command has its usage', () => {
  assert.equal(commandNamed(dynsecModule, 'GETCLIENT')?.name, 'getClient');
  for (const row of dynsecModule.commands) assert.ok(usageOf(row).startsWith(row.name));
});

test('any words build a command or are answered with lines', async () => {
  const names = dynsecModule.commands.map(row => row.name);
  const word = fc.oneof(fc.constantFrom('allow', 'deny', 'subscribe', '-p', '-i', '1', 'a/#'), fc.string());
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...names), fc.array(word, { maxLength: 6 }), async (name, words) => {
      const row = commandNamed(dynsecModule, name);
      assert.ok(row !== undefined);
      const outcome = await build(row, words, typed('x'));
      if (outcome.ok) assert.equal(outcome.command['command'], name);
      else assert.ok(outcome.lines.length > 0);
    }),
  );
});
