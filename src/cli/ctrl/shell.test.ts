import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClientError } from '../../client/mod.ts';
import { recordedContext } from '../shared.test.ts';
import type { Fields } from './control-command.ts';
import type { Sent } from './control-link.ts';
import { newCtrlDraft } from './ctrl-options.ts';
import { Shell, type Link, type OpenLink } from './shell.ts';
import { quoted, wordsOf } from './shell-words.ts';

/** A broker with two clients, a role with a blank in its name, and a link that can be cut. */
function desk(open?: OpenLink) {
  const context = recordedContext();
  const draft = newCtrlDraft();
  const sent: Fields[] = [];
  const link = { isOnline: true, closed: false };
  const answer = (command: Fields): Sent => {
    sent.push(command);
    if (command['command'] === 'listClients') return { kind: 'done', data: { clients: ['admin', 'ann'] } };
    if (command['command'] === 'listGroups') return { kind: 'done', data: { groups: ['g'] } };
    if (command['command'] === 'listRoles') return { kind: 'done', data: { roles: ['my role', 'r'] } };
    if (command['username'] === 'nobody')
      return { kind: 'refused', command: 'deleteClient', error: 'Client not found' };
    return { kind: 'done', data: null };
  };
  const connected: Link = {
    get isOnline() {
      return link.isOnline;
    },
    send: (_module, _row, command) => Promise.resolve(answer(command)),
    close: () => Promise.resolve(void (link.closed = true)),
  };
  const questions = {
    ask: () => Promise.resolve({ ok: true as const, password: Buffer.from('typed') }),
    askLine: () => Promise.resolve('admin'),
    print: () => undefined,
  };
  const shell = new Shell(draft, questions, context, open ?? (() => Promise.resolve(connected)));
  const type = async (...lines: string[]) => {
    context.printed = context.complained = '';
    for (const line of lines) await shell.handle(line);
    return context.printed + context.complained;
  };
  return { shell, draft, type, sent, link };
}

test('the prompt says where one is', async () => {
  const { shell, type } = desk();
  assert.equal(shell.prompt, '> ');
  await type('connect mqtt://h:1884');
  assert.equal(shell.prompt, 'mqtt://h:1884> ');
  await type('dynsec');
  assert.equal(shell.prompt, 'mqtt://h:1884|dynsec> ');
  await type('return');
  assert.equal(shell.prompt, 'mqtt://h:1884> ');
  await type('disconnect');
  assert.equal(shell.prompt, '> ');
});

test('success says OK, a refusal its reason', async () => {
  const { type } = desk();
  await type('connect', 'dynsec');
  assert.equal(await type('deleteClient ann'), 'OK\n');
  assert.equal(await type('deleteClient nobody'), 'deleteClient: Error: Client not found.\n');
  assert.equal(await type('listRoles'), 'my role\nr\n');
});

test('auth keeps user and password for the connection', async () => {
  const { type, draft } = desk();
  await type('auth');
  assert.deepEqual([draft.username, draft.password], ['admin', 'typed']);
  await type('auth ann');
  assert.equal(draft.username, 'ann');
});

test('Tab completes commands in any case, then the names that the broker has, quoted where they need it', async () => {
  const { shell, type } = desk();
  assert.deepEqual(shell.complete('co'), [['connect '], 'co']);
  await type('connect', 'dynsec');
  assert.deepEqual(shell.complete('GETcl')[0], ['getClient ']);
  assert.deepEqual(shell.complete('getClient a')[0], ['admin ', 'ann ']);
  assert.deepEqual(shell.complete('addClientRole ann "m')[0], ['"my role" ']);
  assert.deepEqual(shell.complete('addRoleACL "my role" pub')[0], ['publishClientSend ', 'publishClientReceive ']);
  assert.deepEqual(shell.complete('setDefaultACLAccess subscribe d')[0], ['deny ']);
  assert.deepEqual(shell.complete('help listG')[0], ['listGroups ']);
  assert.deepEqual(shell.complete('getClient ann ')[0], []);
});

test('a new client can be completed at once', async () => {
  const { type, sent } = desk();
  await type('connect', 'dynsec');
  sent.length = 0;
  await type('createClient new -p x');
  assert.deepEqual(
    sent.map(command => command['command']),
    ['createClient', 'listClients'],
  );
});

test('only what makes sense there is offered and obeyed', async () => {
  const { type, shell } = desk();
  assert.match(await type('dynsec'), /^Unknown command 'dynsec'/);
  assert.match(await type('conect'), /Did you mean 'connect'\?/);
  await type('connect');
  assert.match(await type('connect'), /^Unknown command 'connect'/);
  assert.match(await type('help dynsec'), /^dynsec\n/);
  assert.equal(await type('', '   '), '');
  await type('exit');
  assert.ok(shell.hasEnded);
});

test('a broker that refuses is told with the remedy, and the shell goes on', async () => {
  const refusing: OpenLink = () =>
    Promise.reject(
      new ClientError({
        code: 'x',
        kind: 'socket',
        message: 'Nobody is there.',
        remedy: ['Start it.'],
        systemCode: 'ECONNREFUSED',
      }),
    );
  const { type, shell } = desk(refusing);
  assert.equal(await type('connect'), 'Error: Connection refused\n  Nobody is there.\n  Start it.\n');
  assert.deepEqual([shell.isConnected, shell.hasEnded], [false, false]);
});

test('a lost connection is noticed before the next command', async () => {
  const { type, shell, link } = desk();
  await type('connect', 'dynsec');
  link.isOnline = false;
  assert.match(await type('listClients'), /^The connection is lost\. connect opens a new one\.\n/);
  assert.equal(shell.prompt, '> ');
});

test('quotes keep blanks, and what is quoted for the user is read back as it was', () => {
  assert.deepEqual(wordsOf(`a "b c" 'd "e' f"g ""`), ['a', 'b c', 'd "e', 'f"g', '']);
  assert.deepEqual(wordsOf('a "open end'), ['a', 'open end']);
  for (const word of ['plain', 'two words', `it's`, 'say "x y"', '']) assert.deepEqual(wordsOf(quoted(word)), [word]);
});
