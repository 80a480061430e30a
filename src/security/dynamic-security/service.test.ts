import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Identity, Peer } from '../../broker/ports.ts';
import type { JsonObject } from '../control-protocol.ts';
import { HashQueue } from '../hash-queue.ts';
import { commands } from './commands.ts';
import { readRules } from './file.ts';
import type { Model } from './model.ts';
import { DynamicSecurityService } from './service.ts';

interface Reply {
  command: string;
  error?: string;
  data?: JsonObject;
  correlationData?: string;
}

const ana = { command: 'createClient', username: 'ana' };
const readers = { command: 'createGroup', groupname: 'readers' };
const reader = { command: 'createRole', rolename: 'reader' };

/** A service without a broker: what it is asked, what it answers, whom it puts out. */
class Stage {
  readonly model: Model;
  readonly log: string[] = [];
  readonly kicked: (string | null)[] = [];
  saves = 0;
  changes = 0;
  private readonly service: DynamicSecurityService;

  constructor(rules: object = {}, queue = new HashQueue()) {
    this.model = readRules(JSON.stringify(rules))!;
    this.service = new DynamicSecurityService({
      model: this.model,
      log: { debug: false, subscribe: false, unsubscribe: false, connections: false, write: (_, text) => void this.log.push(text) }, // prettier-ignore
      queue,
      control: {
        clients: () => [{ username: 'ana', address: '10.0.0.7', clientId: 'x' } as Identity & { port: number }],
        disconnect: which => {
          for (const username of ['ana', 'bob', 'eve', null]) if (which({ username } as Identity)) this.kicked.push(username); // prettier-ignore
          return 0;
        },
        dropForbiddenSubscriptions: () => 0,
        recheck: () => Promise.resolve(),
      },
      changed: () => this.changes++,
      save: () => Promise.resolve(void this.saves++),
    });
  }

  ask(payload: string | Buffer, clientId = 'ops'): Promise<Reply[]> {
    const who = { clientId, username: 'admin' } as Identity;
    return new Promise(resolve => {
      this.service.handle({
        topic: this.service.topics[0]!,
        payload: Buffer.from(payload),
        who,
        peer: {} as Peer,
        shown: undefined,
        reply: answer => resolve((JSON.parse(answer.toString()) as { responses: Reply[] }).responses),
      });
    });
  }

  tell(...list: object[]): Promise<Reply[]> {
    return this.ask(JSON.stringify({ commands: list }));
  }

  /** The error of the last of these commands, or its data, or undefined. */
  async outcome(...list: object[]): Promise<unknown> {
    const replies = await this.tell(...list);
    return replies.at(-1)?.error ?? replies.at(-1)?.data;
  }
}

/** Each row: the commands before, the command, and its error. */
const refusals: readonly [object[], object, string][] = [
  [[], { command: 'nonsense' }, 'Unknown command'],
  [[], { command: 'createClient' }, 'Invalid/missing username'],
  [[], { command: 'createClient', username: 5 }, 'Invalid/missing username'],
  [[], { command: 'createClient', username: '' }, 'Empty username'],
  [[], { command: 'createClient', username: 'a\u0001b' }, 'Username not valid UTF-8'],
  [[], { ...ana, password: 5 }, 'Invalid/missing password'],
  [[], { ...ana, clientid: 5 }, 'Invalid/missing client id'],
  [[], { ...ana, clientid: '\ud800' }, 'Client ID not valid UTF-8'],
  [[], { ...ana, textname: 5 }, 'Invalid/missing textname'],
  [[], { ...ana, textdescription: 5 }, 'Invalid/missing textdescription'],
  [[], { ...ana, roles: 5 }, "'roles' not an array or missing/invalid rolename"],
  [[], { ...ana, roles: [{}] }, "'roles' not an array or missing/invalid rolename"],
  [[], { ...ana, roles: [{ rolename: 'no' }] }, 'Role not found'],
  [[], { ...ana, groups: [{ groupname: 'no' }] }, 'Group not found'],
  [[ana], ana, 'Client already exists'],
  [[], { command: 'deleteClient', username: 'no' }, 'Client not found'],
  [[], { command: 'modifyClient', username: 'no' }, 'Client not found'],
  [[ana], { command: 'modifyClient', username: 'ana', clientid: 5 }, 'Invalid/missing client ID'],
  [[ana], { command: 'modifyClient', username: 'ana', groups: [{ groupname: 'no' }] }, "'groups' contains an object with a 'groupname' that does not exist"], // prettier-ignore
  [[ana], { command: 'modifyClient', username: 'ana', groups: [{}] }, "'groups' contains an object with an invalid 'groupname'"], // prettier-ignore
  [[ana], { command: 'setClientPassword', username: 'ana' }, 'Invalid/missing password'],
  [[ana], { command: 'setClientPassword', username: 'ana', password: '' }, 'Empty password is not allowed'],
  [[], { command: 'setClientPassword', username: 'no', password: 'x' }, 'Client not found'],
  [[ana], { command: 'setClientId', username: 'ana', clientid: 5 }, 'Invalid/missing client ID'],
  [[], { command: 'setClientId', username: 'no', clientid: 'x' }, 'Client not found'],
  [[], { command: 'enableClient', username: 'no' }, 'Client not found'],
  [[], { command: 'disableClient', username: 'no' }, 'Client not found'],
  [[], { command: 'getClient', username: 'no' }, 'Client not found'],
  [[reader], { command: 'addClientRole', username: 'no', rolename: 'reader' }, 'Client not found'],
  [[ana], { command: 'addClientRole', username: 'ana', rolename: 'no' }, 'Role not found'],
  [[reader, { ...ana, roles: [{ rolename: 'reader' }] }], { command: 'addClientRole', username: 'ana', rolename: 'reader' }, 'Internal error'], // prettier-ignore
  [[ana], { command: 'removeClientRole', username: 'ana', rolename: 'no' }, 'Role not found'],
  [[], { command: 'createGroup' }, 'Invalid/missing groupname'],
  [[], { command: 'createGroup', groupname: '' }, 'Empty groupname'],
  [[], { command: 'createGroup', groupname: '\ufffe' }, 'Group name not valid UTF-8'],
  [[readers], readers, 'Group already exists'],
  [[], { command: 'deleteGroup', groupname: 'no' }, 'Group not found'],
  [[readers, { command: 'setAnonymousGroup', groupname: 'readers' }], { command: 'deleteGroup', groupname: 'readers' }, 'Deleting the anonymous group is forbidden'], // prettier-ignore
  [[], { command: 'setAnonymousGroup', groupname: 'no' }, 'Group not found'],
  [[], { command: 'modifyGroup', groupname: 'no' }, 'Group not found'],
  [[readers], { command: 'modifyGroup', groupname: 'readers', clients: [{ username: 'no' }] }, "'clients' contains an object with a 'username' that does not exist"], // prettier-ignore
  [[readers], { command: 'modifyGroup', groupname: 'readers', clients: [{}] }, "'clients' contains an object with an invalid 'username'"], // prettier-ignore
  [[], { command: 'getGroup', groupname: 'no' }, 'Group not found'],
  [[readers], { command: 'addGroupClient', groupname: 'readers', username: 'no' }, 'Client not found'],
  [[ana], { command: 'addGroupClient', groupname: 'no', username: 'ana' }, 'Group not found'],
  [[readers, { ...ana, groups: [{ groupname: 'readers' }] }], { command: 'addGroupClient', groupname: 'readers', username: 'ana' }, 'Client is already in this group'], // prettier-ignore
  [[ana], { command: 'removeGroupClient', groupname: 'no', username: 'ana' }, 'Group not found'],
  [[readers], { command: 'addGroupRole', groupname: 'readers', rolename: 'no' }, 'Role not found'],
  [[reader, { ...readers, roles: [{ rolename: 'reader' }] }], { command: 'addGroupRole', groupname: 'readers', rolename: 'reader' }, 'Group is already in this role'], // prettier-ignore
  [[reader], { command: 'removeGroupRole', groupname: 'no', rolename: 'reader' }, 'Group not found'],
  [[], { command: 'createRole' }, 'Invalid/missing rolename'],
  [[], { command: 'createRole', rolename: '' }, 'Empty rolename'],
  [[], { command: 'createRole', rolename: '\u0000' }, 'Role name not valid UTF-8'],
  [[], { ...reader, allowwildcardsubs: 1 }, 'Invalid allowwildcardsubs'],
  [[reader], reader, 'Role already exists'],
  [[], { command: 'modifyRole', rolename: 'no' }, 'Role does not exist'],
  [[], { command: 'deleteRole', rolename: 'no' }, 'Role not found'],
  [[], { command: 'getRole', rolename: 'no' }, 'Role not found'],
  [[reader], { command: 'addRoleACL', rolename: 'reader' }, 'Invalid/missing acltype'],
  [[reader], { command: 'addRoleACL', rolename: 'reader', acltype: 'no' }, 'Unknown acltype'],
  [[reader], { command: 'addRoleACL', rolename: 'reader', acltype: 'subscribeLiteral' }, 'Invalid/missing topic'],
  [[reader], { command: 'addRoleACL', rolename: 'reader', acltype: 'subscribeLiteral', topic: '\u0007' }, 'Topic not valid UTF-8'], // prettier-ignore
  [[reader], { command: 'addRoleACL', rolename: 'reader', acltype: 'subscribeLiteral', topic: 'a#' }, 'Invalid ACL topic'], // prettier-ignore
  [[{ ...reader, acls: [{ acltype: 'subscribeLiteral', topic: 'a' }] }], { command: 'addRoleACL', rolename: 'reader', acltype: 'subscribeLiteral', topic: 'a' }, 'ACL with this topic already exists'], // prettier-ignore
  [
    [reader],
    { command: 'removeRoleACL', rolename: 'reader', acltype: 'subscribeLiteral', topic: 'a' },
    'ACL not found',
  ],
  [[], { command: 'setDefaultACLAccess' }, 'Missing/invalid actions array'],
];

describe('a command of dynamic security', () => {
  for (const [before, command, error] of refusals) {
    test(`is refused: ${JSON.stringify(command).slice(0, 90)}: ${error}`, async () => {
      const stage = new Stage();
      if (before.length > 0) await stage.tell(...before);
      const { changeIndex } = stage.model;
      assert.equal(await stage.outcome(command), error);
      assert.equal(stage.model.changeIndex, changeIndex, 'nothing has changed');
    });
  }

  test('that is refused half way leaves everything as it was', async () => {
    const stage = new Stage();
    await stage.tell(reader, readers, { ...ana, textname: 'Ana', roles: [{ rolename: 'reader' }] });
    const before = await stage.outcome({ command: 'getClient', username: 'ana' });
    const roles: object[] = [];
    const change = { command: 'modifyClient', username: 'ana', textname: 'x', roles, groups: [{ groupname: 'no' }] };
    assert.match(String(await stage.outcome(change)), /does not exist/);
    assert.deepEqual(await stage.outcome({ command: 'getClient', username: 'ana' }), before);
  });

  test('is known by a name of any case, and each of the names is tried here or answers', async () => {
    const tried = new Set([...refusals.map(([, command]) => (command as { command: string }).command)]);
    const others = commands.map(({ name }) => name).filter(name => !tried.has(name));
    assert.deepEqual(others.sort(), ['getAnonymousGroup', 'getDefaultACLAccess', 'getDetails', 'listClients', 'listGroups', 'listRoles']); // prettier-ignore
    const stage = new Stage();
    const replies = await stage.tell(...others.map(name => ({ COMMAND: name.toUpperCase() })));
    assert.deepEqual(replies.map(({ command, data }) => [command, typeof data]), others.map(name => [name, 'object'])); // prettier-ignore
  });

  test('shows clients, groups and roles as Mosquitto does', async () => {
    const stage = new Stage();
    await stage.tell(
      { ...reader, acls: [
        { acltype: 'subscribePattern', topic: 'b/#', allow: true },
        { acltype: 'publishClientSend', topic: 'low' },
        { acltype: 'publishClientSend', topic: 'high', priority: 200_000 },
        { acltype: 'no', topic: 'x' }, { acltype: 'publishClientSend' }, { acltype: 'publishClientSend', topic: 'low', allow: true },
      ] },
      { ...readers, roles: [{ rolename: 'reader', priority: 3 }] },
      { ...ana, clientid: 'c', textname: 'n', textdescription: 'd', roles: [{ rolename: 'reader' }], groups: [{ groupname: 'readers', priority: 2 }] },
      { command: 'disableClient', username: 'ana' },
    ); // prettier-ignore
    assert.deepEqual(await stage.outcome({ command: 'getClient', username: 'ana' }), {
      client: { username: 'ana', clientid: 'c', textname: 'n', textdescription: 'd', disabled: true, roles: [{ rolename: 'reader' }], groups: [{ groupname: 'readers', priority: 2 }], connections: [{ address: '10.0.0.7' }] },
    }); // prettier-ignore
    assert.deepEqual(await stage.outcome({ command: 'getGroup', groupname: 'readers' }), {
      group: { groupname: 'readers', clients: [{ username: 'ana' }], roles: [{ rolename: 'reader', priority: 3 }] },
    });
    assert.deepEqual(await stage.outcome({ command: 'getRole', rolename: 'reader' }), {
      role: { rolename: 'reader', allowwildcardsubs: true, acls: [
        { acltype: 'publishClientSend', topic: 'high', priority: 100_000, allow: false },
        { acltype: 'publishClientSend', topic: 'low', priority: 0, allow: false },
        { acltype: 'subscribePattern', topic: 'b/#', priority: 0, allow: true },
      ] },
    }); // prettier-ignore
    assert.deepEqual(await stage.outcome({ command: 'getDetails' }), { clientCount: 1, groupCount: 1, roleCount: 1, changeIndex: 4 }); // prettier-ignore
  });

  test('lists names in the order of their bytes, a page at a time', async () => {
    const stage = new Stage();
    const names = ['b', '\u{10000}', 'a', '\uffee', 'B'];
    await stage.tell(...names.map(rolename => ({ command: 'createRole', rolename })));
    const list = async (fields: object): Promise<unknown> => {
      return ((await stage.outcome({ command: 'listRoles', ...fields })) as { roles: unknown }).roles;
    };
    assert.deepEqual(await list({}), ['B', 'a', 'b', '\uffee', '\u{10000}']);
    assert.deepEqual(await list({ count: 2, offset: 1 }), ['a', 'b']);
    assert.deepEqual(await list({ count: 0 }), ['B']);
    assert.deepEqual(await list({ offset: 9 }), []);
  });
});

describe('a request', () => {
  const frames: readonly [string, Reply[]][] = [
    ['no', [{ command: 'Unknown command', error: 'Payload not valid JSON' }]],
    ['[]', [{ command: 'Unknown command', error: 'Invalid/missing commands' }]],
    ['{"commands":{}}', [{ command: 'Unknown command', error: 'Invalid/missing commands' }]],
    ['{"commands":[7,{"command":"getDetails"}]}', [{ command: 'Unknown command', error: 'Command not an object' }]],
    ['{"commands":[{}]}', [{ command: 'Unknown command', error: 'Missing command' }]],
    ['{"commands":[{"command":"createGroup","correlationData":7}]}', [{ command: 'createGroup', error: 'Invalid correlationData data type.' }]], // prettier-ignore
    ['{"commands":[{"command":"creategroup","groupname":"g","correlationData":"7"},5]}', [{ command: 'creategroup', correlationData: '7' }, { command: 'Unknown command', error: 'Command not an object' }]], // prettier-ignore
  ];
  for (const [payload, replies] of frames) {
    test(`${payload} is answered with what is wrong with it`, async () => {
      assert.deepEqual(await new Stage().ask(payload), replies);
    });
  }

  test('that is not UTF-8 gives nobody a name with something else in it', async () => {
    const payload = Buffer.from('{"commands":[{"command":"createRole","rolename":"caf\u00e9"}]}', 'latin1');
    assert.deepEqual(await new Stage().ask(payload), [{ command: 'createRole', error: 'Role name not valid UTF-8' }]);
  });

  test('is saved once and answered in order, however long its passwords take to hash', async () => {
    const stage = new Stage();
    const answered: string[] = [];
    const first = stage.tell({ ...ana, password: 'secret' }, readers).then(() => answered.push('first'));
    const second = stage.tell({ command: 'addGroupClient', groupname: 'readers', username: 'ana' }).then(replies => {
      assert.equal(replies[0]?.error, undefined, 'it finds what the first has made');
      answered.push('second');
    });
    await Promise.all([first, second]);
    assert.deepEqual(answered, ['first', 'second']);
    assert.deepEqual([stage.saves, stage.changes, stage.model.changeIndex], [2, 3, 3]);
  });

  test('whose password finds no place to be hashed is refused, and makes nobody without one', async () => {
    const full = new HashQueue(0, 1);
    void full.run(() => new Promise(() => {}));
    const stage = new Stage({}, full);
    const error = 'Too many passwords are waiting to be checked';
    assert.equal(await stage.outcome({ ...ana, password: 'secret' }), error);
    assert.equal(stage.model.clients.size, 0);
  });

  test('is logged without any password', async () => {
    const stage = new Stage();
    await stage.tell({ ...ana, password: 'hunter2' }, { command: 'listRoles' }, { ...ana, password: 'hunter2' });
    assert.deepEqual(stage.log, [
      'dynsec: ops/admin | createClient | username=ana | password=*****',
      'dynsec: ops/admin | listRoles | verbose=false | count=-1 | offset=0',
      'dynsec: ops/admin | createClient | username=ana | password=***** | refused: Client already exists',
    ]);
  });
});

/** Who is put out, behind the answer, when the last of these is told. */
const kicks: readonly [object, (string | null)[]][] = [
  [{ command: 'createClient', username: 'zoe' }, []],
  [{ command: 'deleteClient', username: 'ana' }, ['ana']],
  [{ command: 'modifyClient', username: 'ana' }, ['ana']],
  [{ command: 'disableClient', username: 'ana' }, ['ana']],
  [{ command: 'enableClient', username: 'ana' }, []],
  [{ command: 'setClientId', username: 'ana', clientid: 'x' }, ['ana']],
  [{ command: 'addClientRole', username: 'ana', rolename: 'r2' }, ['ana']],
  [{ command: 'removeClientRole', username: 'eve', rolename: 'r' }, ['eve']],
  [{ command: 'deleteRole', rolename: 'r' }, ['bob', 'eve']],
  [{ command: 'modifyRole', rolename: 'r', textname: 'x' }, []],
  [{ command: 'modifyRole', rolename: 'r', allowwildcardsubs: false }, ['bob', 'eve']],
  [{ command: 'addRoleACL', rolename: 'r', acltype: 'subscribeLiteral', topic: 'a' }, ['bob', 'eve']],
  [{ command: 'deleteGroup', groupname: 'g' }, ['bob']],
  [{ command: 'modifyGroup', groupname: 'g', clients: [{ username: 'ana' }] }, ['ana', 'bob']],
  [{ command: 'addGroupClient', groupname: 'no', username: 'ana' }, ['ana']],
  [{ command: 'addGroupRole', groupname: 'g', rolename: 'r2' }, ['bob']],
  [{ command: 'setAnonymousGroup', groupname: 'g' }, [null]],
  [{ command: 'setDefaultACLAccess', acls: [{ acltype: 'subscribe', allow: true }] }, []],
];

describe('those whose rights have changed are put out behind the answer', () => {
  const rules = {
    clients: [{ username: 'ana' }, { username: 'bob' }, { username: 'eve', roles: [{ rolename: 'r' }] }],
    groups: [{ groupname: 'g', roles: [{ rolename: 'r' }], clients: [{ username: 'bob' }] }],
    roles: [{ rolename: 'r', acls: [] }, { rolename: 'r2' }],
  };
  for (const [command, gone] of kicks) {
    test(`${JSON.stringify(command)}: ${gone.length === 0 ? 'nobody' : gone.map(String).join(', ')}`, async () => {
      const stage = new Stage(rules);
      await stage.tell(command);
      assert.deepEqual(stage.kicked, []);
      await new Promise(resolve => setImmediate(resolve));
      assert.deepEqual(stage.kicked, gone);
    });
  }
});
