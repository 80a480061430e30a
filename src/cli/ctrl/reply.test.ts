import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brokerModule } from './broker-commands.ts';
import { commandNamed, type ControlModule } from './control-command.ts';
import { dynsecModule } from './dynsec-commands.ts';
import { linesOf, readReply } from './reply.ts';

function answer(module: ControlModule, name: string, payload: unknown, detailed = false) {
  const row = commandNamed(module, name);
  assert.ok(row !== undefined, name);
  const reply = readReply(Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload)), row);
  return reply.kind === 'done' ? linesOf(reply, row, detailed) : reply;
}

const data = (command: string, of: unknown) => ({ responses: [{ command, data: of }] });
const dynsec = (name: string, of: unknown, detailed = false) => answer(dynsecModule, name, data(name, of), detailed);

test('a client is shown with its label column 12 wide, further items below the first', () => {
  const client = {
    username: 'u',
    textname: 'Lamp',
    disabled: true,
    roles: [{ rolename: 'r' }, { rolename: 's', priority: 3 }],
    groups: [],
    connections: [{ address: '127.0.0.1' }],
  };
  const lines = [
    'Username:    u',
    'Clientid:',
    'Disabled:    true',
    'Roles:       r (priority: -1)',
    '             s (priority: 3)',
    'Connections: 127.0.0.1',
  ];
  assert.deepEqual(dynsec('getClient', { client }), lines);
  assert.deepEqual(dynsec('getClient', { client }, true), lines.toSpliced(3, 0, 'Text name:   Lamp'));
});

test('a group and a role are shown', () => {
  const group = { groupname: 'g', roles: [{ rolename: 'r', priority: 3 }], clients: [{ username: 'u' }] };
  assert.deepEqual(dynsec('getGroup', { group }), ['Groupname: g', 'Roles:     r (priority: 3)', 'Clients:   u']);
  const acls = [
    { acltype: 'publishClientSend', topic: 'a/#', allow: true, priority: 5 },
    { acltype: 'subscribePattern', topic: 'b', allow: false },
  ];
  assert.deepEqual(dynsec('getRole', { role: { rolename: 'r', acls } }), [
    'Rolename: r',
    'ACLs:     publishClientSend    : allow : a/# (priority: 5)',
    '          subscribePattern     : deny  : b (priority: -1)',
  ]);
});

test('lists give one name a line, verbose ones too', () => {
  assert.deepEqual(dynsec('listClients', { totalCount: 2, clients: ['a', { username: 'b' }, 5] }), ['a', 'b']);
  assert.deepEqual(dynsec('listRoles', { roles: [] }), []);
});

test('what is asked in general has its lines', () => {
  const acls = [
    { acltype: 'publishClientSend', allow: false },
    { acltype: 'unsubscribe', allow: true },
  ];
  assert.deepEqual(dynsec('getDefaultACLAccess', { acls }), [
    'publishClientSend    : deny',
    'unsubscribe          : allow',
  ]);
  assert.deepEqual(dynsec('getAnonymousGroup', { group: { groupname: '' } }), ['']);
  assert.deepEqual(dynsec('getDetails', { clientCount: 2, changeIndex: 7 }), [
    'Client count: 2',
    'Group count:  0',
    'Role count:   0',
    'Change index: 7',
  ]);
});

test('plugins and listeners are shown as mosquitto_ctrl shows them', () => {
  const plugins = [{ name: 'dynamic-security', version: '2.1', 'control-endpoints': ['$CONTROL/a', '$CONTROL/b'] }];
  assert.deepEqual(answer(brokerModule, 'listPlugins', data('listPlugins', { plugins })), [
    'Plugin:            dynamic-security',
    'Version:           2.1',
    'Control endpoints: $CONTROL/a',
    '                   $CONTROL/b',
  ]);
  const listeners = [{ port: 1883, protocol: 'mqtt', tls: false, 'bind-address': '::1' }];
  assert.deepEqual(answer(brokerModule, 'listListeners', data('listListeners', { listeners })), [
    'Listener 1:',
    '  Port:              1883',
    '  Protocol:          mqtt',
    '  Bind address:      ::1',
    '  TLS:               false',
    '',
  ]);
});

test('success without data prints nothing, a refusal is told', () => {
  assert.deepEqual(answer(dynsecModule, 'deleteClient', { responses: [{ command: 'deleteClient' }] }), []);
  assert.deepEqual(answer(dynsecModule, 'deleteClient', { responses: [{ command: 'deleteclient', error: 'No' }] }), {
    kind: 'refused',
    command: 'deleteclient',
    error: 'No',
  });
});

test('the reply to the command of somebody else is not taken for ours', () => {
  assert.deepEqual(answer(dynsecModule, 'getClient', { responses: [{ command: 'deleteRole' }] }), { kind: 'not ours' });
});

test('what is no reply is told as such, with the words of a broker that has no such API', () => {
  const wrong = (payload: unknown) => answer(dynsecModule, 'getClient', payload);
  assert.deepEqual(wrong('{'), { kind: 'wrong', line: 'Error: Payload not JSON.', explanation: null });
  for (const payload of ['[]', 'null', '{"responses":5}', '{"responses":[]}', '{"responses":[{}]}']) {
    assert.deepEqual(
      wrong(payload),
      { kind: 'wrong', line: 'Error: Payload missing data.', explanation: null },
      payload,
    );
  }
  assert.deepEqual(wrong('{"error": "endpoint not available"}'), {
    kind: 'wrong',
    line: 'Error: Payload missing data.',
    explanation: 'endpoint not available',
  });
  for (const wrongData of [null, {}, { client: 5 }, { client: {} }]) {
    assert.equal(dynsec('getClient', wrongData), 'Error: Invalid response from server.');
  }
});
