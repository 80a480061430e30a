/** The commands of the dynamic security plugin. */
import {
  buildFields,
  invalidInput,
  type ArgumentRow,
  type Built,
  type ControlCommand,
  type ControlModule,
  type Desk,
  type Fields,
} from './control-command.ts';
import {
  printClient,
  printDefaultAccess,
  printDetails,
  printGroup,
  printGroupName,
  printList,
  printRole,
} from './dynsec-print.ts';

const client: ArgumentRow = { field: 'username', names: 'clients' };
const group: ArgumentRow = { field: 'groupname', names: 'groups' };
const role: ArgumentRow = { field: 'rolename', names: 'roles' };
const priority: ArgumentRow = { field: 'priority', kind: 'integer', optional: true };
const count: ArgumentRow = { field: 'count', kind: 'count', optional: true };
const offset: ArgumentRow = { field: 'offset', kind: 'count', optional: true };
const access: ArgumentRow = { field: 'allow', kind: 'access' };
const topic: ArgumentRow = { field: 'topic' };
const aclType: ArgumentRow = {
  field: 'acltype',
  words: [
    'publishClientSend',
    'publishClientReceive',
    'subscribeLiteral',
    'subscribePattern',
    'unsubscribeLiteral',
    'unsubscribePattern',
  ],
};
const defaultAclType: ArgumentRow = {
  field: 'acltype',
  words: ['publishClientSend', 'publishClientReceive', 'subscribe', 'unsubscribe'],
};
const property: ArgumentRow = { field: 'property', words: ['textname', 'textdescription'] };
const roleProperty: ArgumentRow = { field: 'property', words: ['textname', 'textdescription', 'allowwildcardsubs'] };
const value: ArgumentRow = { field: 'value' };

const general: ControlCommand[] = [
  {
    name: 'getDefaultACLAccess',
    chapter: 'General',
    says: 'Whether what no ACL decides is allowed.',
    arguments: [],
    print: printDefaultAccess,
  },
  {
    name: 'setDefaultACLAccess',
    chapter: 'General',
    says: 'Allow or deny what no ACL decides.',
    arguments: [defaultAclType, access],
    build: buildDefaultAccess,
  },
  {
    name: 'getAnonymousGroup',
    chapter: 'General',
    says: 'The group of clients without a user name.',
    arguments: [],
    print: printGroupName,
  },
  {
    name: 'setAnonymousGroup',
    chapter: 'General',
    says: 'Put clients without a user name into this group.',
    arguments: [group],
  },
  {
    name: 'getDetails',
    chapter: 'General',
    says: 'How many clients, groups and roles there are. Mosquitto 2.1 and newer.',
    arguments: [],
    print: printDetails,
  },
];

const clients: ControlCommand[] = [
  {
    name: 'createClient',
    chapter: 'Clients',
    says: 'Make a client. Its password is asked for unless it is given; without one it cannot log in.',
    usage: '<username> [-i clientid] [-p password | --no-password]',
    arguments: [{ field: 'username' }],
    build: buildNewClient,
    changes: 'clients',
  },
  { name: 'deleteClient', chapter: 'Clients', says: 'Delete a client.', arguments: [client], changes: 'clients' },
  {
    name: 'setClientPassword',
    chapter: 'Clients',
    says: 'Set a password; with -f FILE in a file that no broker uses at the moment, and -i for its iterations.',
    arguments: [client, { field: 'password', optional: true }],
    build: buildPassword,
  },
  {
    name: 'setClientId',
    chapter: 'Clients',
    says: 'Let the client log in with this client id only; without one, with any.',
    arguments: [client, { field: 'clientid', optional: true }],
  },
  {
    name: 'addClientRole',
    chapter: 'Clients',
    says: 'Give a client a role. Higher priorities are asked first.',
    arguments: [client, role, priority],
  },
  { name: 'removeClientRole', chapter: 'Clients', says: 'Take a role from a client.', arguments: [client, role] },
  { name: 'getClient', chapter: 'Clients', says: 'Show a client.', arguments: [client], print: printClient },
  {
    name: 'listClients',
    chapter: 'Clients',
    says: 'List the clients.',
    arguments: [count, offset],
    usage: '[count [offset]]',
    print: data => printList(data, 'clients', 'username'),
  },
  { name: 'enableClient', chapter: 'Clients', says: 'Let a client log in again.', arguments: [client] },
  { name: 'disableClient', chapter: 'Clients', says: 'End a client and let it not log in.', arguments: [client] },
  {
    name: 'modifyClient',
    chapter: 'Clients',
    says: 'Change the texts about a client.',
    arguments: [client, property, value],
    build: buildChange,
  },
];

const groups: ControlCommand[] = [
  {
    name: 'createGroup',
    chapter: 'Groups',
    says: 'Make a group.',
    arguments: [{ field: 'groupname' }],
    changes: 'groups',
  },
  { name: 'deleteGroup', chapter: 'Groups', says: 'Delete a group.', arguments: [group], changes: 'groups' },
  {
    name: 'addGroupRole',
    chapter: 'Groups',
    says: 'Give a group a role. Higher priorities are asked first.',
    arguments: [group, role, priority],
  },
  { name: 'removeGroupRole', chapter: 'Groups', says: 'Take a role from a group.', arguments: [group, role] },
  {
    name: 'addGroupClient',
    chapter: 'Groups',
    says: 'Put a client into a group; the priority is that of the group for this client.',
    arguments: [group, client, priority],
  },
  { name: 'removeGroupClient', chapter: 'Groups', says: 'Take a client out of a group.', arguments: [group, client] },
  { name: 'getGroup', chapter: 'Groups', says: 'Show a group.', arguments: [group], print: printGroup },
  {
    name: 'listGroups',
    chapter: 'Groups',
    says: 'List the groups.',
    arguments: [count, offset],
    usage: '[count [offset]]',
    print: data => printList(data, 'groups', 'groupname'),
  },
  {
    name: 'modifyGroup',
    chapter: 'Groups',
    says: 'Change the texts about a group.',
    arguments: [group, property, value],
    build: buildChange,
  },
];

const roles: ControlCommand[] = [
  { name: 'createRole', chapter: 'Roles', says: 'Make a role.', arguments: [{ field: 'rolename' }], changes: 'roles' },
  { name: 'deleteRole', chapter: 'Roles', says: 'Delete a role.', arguments: [role], changes: 'roles' },
  {
    name: 'addRoleACL',
    chapter: 'Roles',
    says: 'Add a rule to a role. Higher priorities are asked first.',
    arguments: [role, aclType, topic, access, priority],
    usage: '<rolename> <acltype> <topicFilter> allow|deny [priority]',
    build: buildRule,
  },
  {
    name: 'removeRoleACL',
    chapter: 'Roles',
    says: 'Remove a rule from a role.',
    arguments: [role, aclType, topic],
    usage: '<rolename> <acltype> <topicFilter>',
  },
  { name: 'getRole', chapter: 'Roles', says: 'Show a role and its rules.', arguments: [role], print: printRole },
  {
    name: 'listRoles',
    chapter: 'Roles',
    says: 'List the roles.',
    arguments: [count, offset],
    usage: '[count [offset]]',
    print: data => printList(data, 'roles', 'rolename'),
  },
  {
    name: 'modifyRole',
    chapter: 'Roles',
    says: 'Change the texts about a role, or whether its clients may subscribe with wildcards.',
    arguments: [role, roleProperty, value],
    build: buildChange,
  },
];

export const dynsecModule: ControlModule = {
  name: 'dynsec',
  requestTopic: '$CONTROL/dynamic-security/v1',
  responseTopic: '$CONTROL/dynamic-security/v1/response',
  commands: [...general, ...clients, ...groups, ...roles],
  whenSilent: 'Does the broker have the dynamic security plugin, and may this user administer it?',
};

function buildDefaultAccess(words: readonly string[], row: ControlCommand): Built {
  const built = buildFields(words, row);
  if (!built.ok) {
    const isAccess = words.length === 2 && /^(allow|deny)$/i.test(words[1] ?? '');
    const before = words.length !== 2 || isAccess ? [] : ['Error: access must be "allow" or "deny".'];
    return { ...built, lines: [...before, ...built.lines] };
  }
  const { command, acltype, allow } = built.command;
  return { ok: true, command: { command, acls: [{ acltype, allow }] } };
}

/** The shell of Mosquitto puts the topic last: `addRoleACL role type allow|deny [priority] topic`. Both are taken. */
function buildRule(words: readonly string[], row: ControlCommand): Built {
  const [rolename = '', acltype = '', third = ''] = words;
  if (!/^(allow|deny)$/i.test(third) || words.length < 4) return buildFields(words, row);
  const [topicFilter, ...before] = words.slice(3).reverse();
  return buildFields([rolename, acltype, topicFilter ?? '', third, ...before], row);
}

/** Words behind the property are one text. */
function buildChange(words: readonly string[], row: ControlCommand): Built {
  const [name = '', property = '', ...rest] = words;
  if (rest.length === 0) return invalidInput(row);
  const built = buildFields([name, property, rest.join(' ')], row);
  if (!built.ok) return built;
  const { property: member, value: text, ...command } = built.command;
  if (member !== 'allowwildcardsubs') return { ok: true, command: { ...command, [String(member)]: text } };
  if (text !== 'true' && text !== 'false') return invalidInput(row, `'${String(text)}' must be true or false.`);
  return { ok: true, command: { ...command, allowwildcardsubs: text === 'true' } };
}

async function buildPassword(words: readonly string[], row: ControlCommand, desk: Desk): Promise<Built> {
  const built = buildFields(words, row);
  if (!built.ok || words.length === 2) return built;
  const answer = await askPassword(words[0] ?? '', desk);
  return answer.ok ? { ok: true, command: { ...built.command, password: answer.password } } : answer.built;
}

interface NewClient {
  clientid: string | null;
  /** Null: none; undefined: not said. */
  password: string | null | undefined;
}

async function buildNewClient(words: readonly string[], row: ControlCommand, desk: Desk): Promise<Built> {
  const [username, ...rest] = words;
  if (username === undefined) return invalidInput(row);
  const said = readNewClient(rest, row);
  if ('ok' in said) return said;
  let { password } = said;
  if (password === undefined) {
    desk.print(`Enter new password for ${username}. Press return for no password (user will be unable to login).\n`);
    const answer = await askPassword(username, desk);
    if (!answer.ok && answer.because !== 'empty') return answer.built;
    password = answer.ok ? answer.password : null;
  }
  const command: Fields = { command: row.name, username };
  if (said.clientid !== null) command['clientid'] = said.clientid;
  if (password !== null) command['password'] = password;
  return { ok: true, command };
}

/** `-i ID -p PASSWORD`, or `PASSWORD [ID]` as in Mosquitto's shell. */
function readNewClient(words: readonly string[], row: ControlCommand): NewClient | Built {
  const said: NewClient = { clientid: null, password: undefined };
  const [first, second] = words;
  if (first !== undefined && !first.startsWith('-')) {
    return words.length > 2 ? invalidInput(row) : { clientid: second ?? null, password: first };
  }
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    if (word === '--no-password') {
      if (typeof said.password === 'string') return exclusive(row);
      said.password = null;
      continue;
    }
    const isClientId = word === '-i' || word === '-c';
    if (!isClientId && word !== '-p') return invalidInput(row, `There is no option '${word}'.`);
    const argument = words[++at];
    if (argument === undefined) return missing(word, isClientId ? 'clientid' : 'password', row);
    if (isClientId) said.clientid = argument;
    else if (said.password === null) return exclusive(row);
    else said.password = argument;
  }
  return said;
}

function missing(option: string, what: string, row: ControlCommand): Built {
  return invalidInput(row, undefined, [`Error: ${option} argument given, but no ${what} provided.`]);
}

function exclusive(row: ControlCommand): Built {
  return invalidInput(row, undefined, ['Error: -p and --no-password are mutually exclusive.']);
}

type Asked = { ok: true; password: string } | { ok: false; because: string; built: Built };

/** An answer that cannot be used ends with 0, as mosquitto_ctrl does; nothing has been sent. */
export async function askPassword(username: string, desk: Desk): Promise<Asked> {
  const answer = await desk.ask(`New password for ${username}: `, `Reenter password for ${username}: `);
  if (answer.ok) return { ok: true, password: answer.password.toString() };
  const lines = { different: ['Error: Passwords do not match.'], empty: ['Error: Empty password.'], interrupted: [] };
  return { ok: false, because: answer.because, built: { ok: false, exitCode: 0, lines: lines[answer.because] } };
}
