/**
 * Users as JSON lines, the form between: one object a line, the header first.
 *
 *   {"zancudo":"users","version":1}
 *   {"user":"ana","hash":"$7$..","rules":[{"topic":"home/ana/#","access":"readwrite"}]}
 *   {"user":"root","hash":"..","superuser":true}
 *   {"everybody":[{"topic":"all/%u","access":"read"}]}     {"anonymous":[..]}
 *   {"role":{..}} {"group":{..}} {"defaults":{..}}         as dynamic security's file has them; users then have `roles`
 *
 * It holds password hashes: whoever writes it to a file makes it one for its owner alone.
 */
import { isObject, type JsonObject, member } from '../control-protocol.ts';
import { readRules, writeRules } from '../dynamic-security/file.ts';
import { accessWords, bitsOf, emptySet, plainUser, type Rule, type User, type UserSet } from './user-set.ts';

export const FORM_VERSION = 1;

/** A place that cannot be read or written as it should; the lines are for the user. */
export class UsersError extends Error {
  readonly lines: readonly string[];

  constructor(...lines: string[]) {
    super(lines[0]);
    this.lines = lines;
  }
}

export function* linesOf(set: UserSet): Iterable<string> {
  yield JSON.stringify({ zancudo: 'users', version: FORM_VERSION });
  const { clients, ...rest } = set.dynamic === null ? noTree : treeOf(set.dynamic);
  if (rest.defaults !== null) yield JSON.stringify({ defaults: rest.defaults });
  for (const role of rest.roles) yield JSON.stringify({ role });
  if (set.everybody.length > 0) yield JSON.stringify({ everybody: set.everybody.map(ruleRecord) });
  if (set.anonymous.length > 0) yield JSON.stringify({ anonymous: set.anonymous.map(ruleRecord) });
  for (const user of set.users.values()) yield JSON.stringify(userRecord(user, clients.get(user.name)));
  for (const group of rest.groups) yield JSON.stringify({ group });
}

interface Tree {
  defaults: JsonObject | null;
  roles: JsonObject[];
  groups: JsonObject[];
  clients: Map<string, JsonObject>;
}

const noTree: Tree = { defaults: null, roles: [], groups: [], clients: new Map() };

/** The records that dynamic security's own file would have. */
function treeOf(model: NonNullable<UserSet['dynamic']>): Tree {
  const tree = JSON.parse(writeRules(model)) as JsonObject;
  const { defaultACLAccess, anonymousGroup } = tree;
  const defaults = { defaultACLAccess, ...(anonymousGroup === undefined ? {} : { anonymousGroup }) };
  const clients = new Map((tree.clients as JsonObject[]).map(each => [String(each.username), each]));
  return { defaults, roles: tree.roles as JsonObject[], groups: tree.groups as JsonObject[], clients };
}

function userRecord(user: User, client: JsonObject | undefined): JsonObject {
  const { name, hash, superuser, disabled, clientId, rules } = user;
  const { textname, textdescription, roles } = client ?? {};
  return {
    user: name,
    hash: hash ?? undefined,
    superuser: superuser || undefined,
    disabled: disabled || undefined,
    clientid: clientId ?? undefined,
    textname,
    textdescription,
    roles,
    rules: client === undefined || rules.length > 0 ? rules.map(ruleRecord) : undefined,
  };
}

function ruleRecord({ topic, bits, plain }: Rule): JsonObject {
  return { topic, access: accessWords(bits), plain };
}

export function readLines(lines: readonly string[], where: string): UserSet {
  const reader = new LineReader();
  for (const [i, line] of lines.entries()) {
    if (line.trim() === '') continue;
    const problem = reader.read(line);
    if (problem !== null) throw new UsersError(`Error: Line ${i + 1} of ${where}: ${problem}.`);
  }
  if (!reader.hasHeader) throw new UsersError(`Error: ${where} is no list of users: its first line is not ${header}.`);
  return reader.end();
}

const header = JSON.stringify({ zancudo: 'users', version: FORM_VERSION });

class LineReader {
  hasHeader = false;
  private readonly set = emptySet();
  private readonly tree: JsonObject & { roles: JsonObject[]; groups: JsonObject[]; clients: JsonObject[] } = {
    roles: [],
    groups: [],
    clients: [],
  };
  private isDynamic = false;

  /** Null, or what is wrong with the line. */
  read(line: string): string | null {
    const record = parsed(line);
    if (record === null) return 'it is no JSON object';
    if (!this.hasHeader) return this.readHeader(record);
    if ('user' in record) return this.readUser(record);
    if ('everybody' in record) return this.readRules(record.everybody, rules => (this.set.everybody = rules));
    if ('anonymous' in record) return this.readRules(record.anonymous, rules => (this.set.anonymous = rules));
    return this.readDynamic(record);
  }

  end(): UserSet {
    if (this.isDynamic) this.set.dynamic = readRules(JSON.stringify(this.tree));
    return this.set;
  }

  private readHeader(record: JsonObject): string | null {
    if (record.zancudo !== 'users') return `it is not ${header}`;
    if (record.version !== FORM_VERSION)
      return `version ${String(record.version)} is not known here, ${FORM_VERSION} is`;
    this.hasHeader = true;
    return null;
  }

  private readDynamic({ role, group, defaults }: JsonObject): string | null {
    this.isDynamic = true;
    if (isObject(role)) this.tree.roles.push(role);
    else if (isObject(group)) this.tree.groups.push(group);
    else if (isObject(defaults)) Object.assign(this.tree, defaults);
    else return 'it is none of user, everybody, anonymous, role, group and defaults';
    return null;
  }

  private readUser(record: JsonObject): string | null {
    const { user: name, hash = null, clientid = null } = record;
    if (typeof name !== 'string' || name === '') return 'user is no name';
    if (this.set.users.has(name)) return `user '${name}' is there twice`;
    if (hash !== null && typeof hash !== 'string') return 'hash is no text';
    if (clientid !== null && typeof clientid !== 'string') return 'clientid is no text';
    const rules = record.rules === undefined ? [] : rulesIn(record.rules);
    if (typeof rules === 'string') return rules;
    const superuser = record.superuser === true;
    const disabled = record.disabled === true;
    this.set.users.set(name, { ...plainUser(name, hash, rules), superuser, disabled, clientId: clientid });
    if (Array.isArray(record.roles)) this.isDynamic = true;
    this.tree.clients.push({ ...record, username: name, encoded_password: hash ?? undefined });
    return null;
  }

  private readRules(value: unknown, put: (rules: Rule[]) => void): string | null {
    const rules = rulesIn(value);
    if (typeof rules === 'string') return rules;
    put(rules);
    return null;
  }
}

function parsed(line: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(line);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

/** A text says what is wrong. */
function rulesIn(value: unknown): Rule[] | string {
  if (!Array.isArray(value)) return 'rules are no list';
  const rules: Rule[] = [];
  for (const each of value as unknown[]) {
    const [topic, access] = isObject(each) ? [member(each, 'topic'), member(each, 'access')] : [];
    const bits = typeof access === 'string' ? bitsOf(access) : null;
    if (typeof topic !== 'string' || bits === null) {
      return 'a rule has a topic, and an access of read, write, readwrite, subscribe or deny';
    }
    rules.push({ topic, bits, ...((each as JsonObject).plain === true ? { plain: true } : {}) });
  }
  return rules;
}
