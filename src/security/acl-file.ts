/**
 * acl_file: which topics a client may read and write.
 *
 *   user X / topic ...       the list of X; before the first `user` line, the list of clients without a user name
 *   pattern ...              for everybody, with %c and %u filled in, wherever it stands in the file
 *
 *   decision: own list  ->  deny | allow | nothing said  ->  patterns  ->  deny | allow | nothing said = deny
 *
 * The own list of a client with a certificate of ours is that of the certificate, its name in patterns that of the
 * certificate (certificate-identity.ts).
 *
 * SUBSCRIBE and UNSUBSCRIBE are always granted: the read rules are asked for each message, when the topic is known.
 */
import type { Identity, RuleTried } from '../broker/ports.ts';
import { isValidFilter } from '../topics/mod.ts';
import { type AclRule, DENY, type Names, READ, RuleTree, WRITE } from './acl-rules.ts';
import type { Access, Answer, Authorizer, Reasons } from './authenticator.ts';
import { type BoundDevice, BoundDevices, devicesBegin, devicesEnd, fingerprintIn } from './certificate-identity.ts';
import { type FileLine, type Loaded, readSecretFile, refuse, trimBlanks, trimBlanksAtEnd } from './secret-file.ts';

export interface AclRules {
  path: string;
  anonymous: RuleTree;
  users: Map<string, RuleTree>;
  devices: BoundDevices;
  /** Patterns with `%u` say nothing about clients without a user name. */
  patternsWithUser: RuleTree | null;
  patterns: RuleTree | null;
}

const accessBits = new Map([
  ['read', READ],
  ['write', WRITE],
  ['readwrite', READ | WRITE],
  ['deny', DENY],
]);

interface Problem {
  says: string;
  because: string;
}

export function loadAclFile(path: string): Loaded<AclRules> {
  const file = readSecretFile(path);
  if (!file.ok) {
    const end = `Error opening acl file "${path}".`;
    return refuse(13, `Error: Unable to open acl_file "${path}".`, end, ...file.because);
  }
  return readAcl(path, file);
}

/** A file that is not in force, given by its lines; `path` is how it is named in answers. */
export function plannedAclFile(path: string, lines: readonly string[]): Loaded<AclFile> {
  const numbered = lines.map((text, i) => ({ number: i + 1, text, utf8: true }));
  const read = readAcl(path, { lines: numbered, warnings: [] });
  return read.ok ? { ...read, value: new AclFile(read.value, () => {}) } : read;
}

function readAcl(path: string, file: { lines: readonly FileLine[]; warnings: readonly string[] }): Loaded<AclRules> {
  const reader = new AclReader(path);
  for (const line of file.lines) {
    const problem = reader.readLine(line);
    if (problem === null) continue;
    const because = `  Line ${line.number}: ${problem.because}.`;
    return refuse(3, `Error: ${problem.says}`, `Error opening acl file "${path}".`, because);
  }
  return { ok: true, value: reader.rules, warnings: [...file.warnings, ...reader.warnings] };
}

class AclReader {
  readonly rules: AclRules;
  readonly warnings: string[] = [];
  private readonly path: string;
  private list: RuleTree;
  /** Between the marks: the list in front of them, and the name that certificates are bound to. */
  private outside: RuleTree | null = null;
  private device = '';
  private line = 0;

  constructor(path: string) {
    this.path = path;
    this.list = new RuleTree(false);
    const devices = new BoundDevices();
    this.rules = { path, anonymous: this.list, users: new Map(), devices, patternsWithUser: null, patterns: null };
  }

  readLine({ number, text, utf8 }: FileLine): Problem | null {
    this.line = number;
    if (text.startsWith('#')) return this.readComment(text);
    const { word, rest } = firstWord(trimBlanksAtEnd(text));
    if (word === '') return null;
    if (!utf8) return this.invalidLine(text, word);
    if (word === 'user') return this.startUser(rest);
    if (word === 'topic' || word === 'pattern') return this.addRule(word, rest);
    return this.invalidLine(text, word);
  }

  private startUser(rest: string): Problem | null {
    const name = trimBlanks(rest);
    if (name === '') return { says: `Missing username in acl_file "${this.path}".`, because: 'write: user NAME' };
    this.device = name;
    this.list = this.rules.users.get(name) ?? new RuleTree(false);
    this.rules.users.set(name, this.list);
    return null;
  }

  private readComment(text: string): null {
    if (text === devicesBegin) this.outside = this.list;
    if (text === devicesEnd && this.outside !== null) {
      this.list = this.outside;
      this.outside = null;
    }
    const fingerprint = this.outside === null ? null : fingerprintIn(text);
    if (fingerprint !== null) this.bind(fingerprint);
    return null;
  }

  /** From here on the rules are those of the certificate, and the name alone has none of them. */
  private bind(fingerprint: string): void {
    const { users, devices } = this.rules;
    const bound = devices.named(this.device)?.rules;
    if (bound === undefined && this.list.isEmpty) users.delete(this.device);
    this.list = bound ?? new RuleTree(false);
    devices.add(this.device, this.list, fingerprint);
  }

  /** With one word after `topic` that word is the filter, even if it is `read`. */
  private addRule(kind: 'topic' | 'pattern', rest: string): Problem | null {
    const { word, rest: remainder } = firstWord(rest);
    if (word === '') return { says: `Empty topic in acl_file "${this.path}".`, because: `write: ${kind} read FILTER` };
    const bits = remainder === '' ? READ | WRITE : accessBits.get(word);
    const filter = remainder === '' ? word : trimBlanks(remainder);
    if (bits === undefined) {
      return {
        says: `Invalid topic access type "${word}" in acl_file "${this.path}".`,
        because: 'before the filter stands read, write, readwrite or deny; a filter with spaces needs one of them',
      };
    }
    if (!isValidFilter(filter)) {
      return {
        says: `Invalid ACL topic "${filter}" in acl_file "${this.path}".`,
        because: '"+" has to fill a whole level and "#" the last one',
      };
    }
    if (FOREIGN_BLANK.test(filter)) {
      this.warnings.push(
        `Warning: ACL topic "${filter}" in ${this.path} holds a tab or a non-breaking space; it counts as part of the topic.`,
      );
    }
    const rule = { line: this.line, text: `${kind} ${trimBlanks(rest)}`, bits };
    if (kind === 'topic') this.list.add(filter, rule);
    else this.addPattern(filter, rule);
    return null;
  }

  private addPattern(filter: string, rule: AclRule): void {
    if (filter.includes('%u')) {
      (this.rules.patternsWithUser ??= new RuleTree(true)).add(filter, rule);
      return;
    }
    (this.rules.patterns ??= new RuleTree(true)).add(filter, rule);
    if (filter.includes('%c')) return;
    this.warnings.push(
      `Warning: ACL pattern '${filter}' does not contain '%c' or '%u'.`,
      `  It is a rule for everybody, anonymous clients included.`,
    );
  }

  private invalidLine(text: string, word: string): Problem {
    const shown = text.slice(0, text.indexOf(word) + word.length);
    return { says: `Invalid line in acl_file "${this.path}": ${shown}.`, because: whatIsWrong(text, word) };
  }
}

/** The first run of non-spaces and what follows the space after it. Only the space itself separates. */
function firstWord(text: string): { word: string; rest: string } {
  const start = text.search(/[^ ]/);
  if (start === -1) return { word: '', rest: '' };
  const space = text.indexOf(' ', start);
  return space === -1
    ? { word: text.slice(start), rest: '' }
    : { word: text.slice(start, space), rest: text.slice(space + 1) };
}

/** What web pages and editors put in the place of a space. */
const FOREIGN_BLANK = /[\t\u00a0]/;

function whatIsWrong(text: string, word: string): string {
  if (text.includes('\ufffd')) return 'it is not UTF-8';
  if (word.startsWith('#')) return 'a comment has its "#" at the very start of the line';
  if (FOREIGN_BLANK.test(text)) return 'it holds a tab or a non-breaking space where an ordinary space belongs';
  return 'a line starts with user, topic or pattern';
}

/** A client may choose its own id, so the names in these log lines are bounded in number. */
const WARNED_NAMES_MAX = 1000;

export class AclFile implements Authorizer {
  private readonly rules: AclRules;
  private readonly warn: (text: string) => void;
  private readonly warned = new Set<string>();

  constructor(rules: AclRules, warn: (text: string) => void) {
    this.rules = rules;
    this.warn = warn;
  }

  get path(): string {
    return this.rules.path;
  }

  /** The device whose certificate this client has shown; null when it is none of ours. */
  deviceOf(who: Identity): BoundDevice | null {
    return this.rules.devices.of(who);
  }

  deviceNamed(name: string): BoundDevice | null {
    return this.rules.devices.named(name);
  }

  /** Everybody the file speaks of, each with the filters that it has for them, and null for clients without a user name. */
  *parties(): Iterable<{ username: string | null; device: BoundDevice | null; filters: Iterable<string> }> {
    const { anonymous, users, devices } = this.rules;
    yield { username: null, device: null, filters: anonymous.filters() };
    for (const [username, list] of users) yield { username, device: null, filters: list.filters() };
    for (const device of devices.all()) yield { username: device.name, device, filters: device.rules.filters() };
  }

  /** With %c and %u as they stand in the file. */
  *patternFilters(): Iterable<string> {
    yield* this.rules.patterns?.filters() ?? [];
    yield* this.rules.patternsWithUser?.filters() ?? [];
  }

  /** Whether no message that this client may read could come by the filter. */
  cannotRead(who: Identity, topicFilter: string): boolean {
    const { patterns, patternsWithUser } = this.rules;
    const device = this.rules.devices.of(who);
    const names = this.namesOf(who, device);
    const own = device?.rules ?? this.rules.users.get(who.username ?? '') ?? null;
    const trees = [own, patterns, names.username === null ? null : patternsWithUser];
    return !trees.some(tree => tree?.overlaps(topicFilter, READ, names) === true);
  }

  may(access: Access, who: Identity, topic: string): Answer {
    if (access === 'subscribe' || access === 'unsubscribe') return 'allow';
    return this.allows(access === 'read' ? READ : WRITE, who, topic, null) ? 'allow' : 'deny';
  }

  explain(access: Access, who: Identity, topic: string): Reasons {
    if (access === 'subscribe' || access === 'unsubscribe') {
      const because = `an acl_file lets everybody ${access} and is asked again for each message`;
      return { answer: 'allow', because, tried: [] };
    }
    const seen: AclRule[] = [];
    const wanted = access === 'read' ? READ : WRITE;
    const allowed = this.allows(wanted, who, topic, seen);
    seen.sort(byTurn);
    const decisive = seen.find(rule => (rule.bits & (allowed ? wanted : DENY)) !== 0);
    const tried = seen.map(rule => this.tried(rule, wanted, rule === decisive));
    return { answer: allowed ? 'allow' : 'deny', because: this.because(decisive, who), tried };
  }

  private tried({ line, text, bits }: AclRule, wanted: number, decides: boolean): RuleTried {
    const says = (bits & DENY) !== 0 ? 'deny' : (bits & wanted) !== 0 ? 'allow' : 'nothing';
    return { where: `line ${line} of ${this.rules.path}`, text, says, decides };
  }

  private because(decisive: AclRule | undefined, who: Identity): string {
    const { path } = this.rules;
    if (decisive !== undefined) return `"${decisive.text}" decides, line ${decisive.line} of ${path}`;
    const names = this.namesOf(who, this.rules.devices.of(who));
    if (nameThatIsDangerous(names) !== null)
      return `a client id or user name with a wildcard gets nothing from a pattern`;
    return `no line of ${path} allows it to ${this.whom(who)}`;
  }

  private whom(who: Identity): string {
    const device = this.rules.devices.of(who);
    if (device !== null) return `the certificate of device '${device.name}'`;
    if (who.username === null) return 'clients without a user name';
    const claims = this.rules.devices.named(who.username) !== null;
    return claims
      ? `user '${who.username}', who has not shown the certificate of the device of that name`
      : `user '${who.username}'`;
  }

  /** `seen` gathers the rules that were looked at, list by list; null spares the trouble. */
  private allows(wanted: number, who: Identity, topicName: string, seen: AclRule[] | null): boolean {
    const { anonymous, users, devices, patterns, patternsWithUser } = this.rules;
    const device = devices.of(who);
    const own = device !== null ? device.rules : who.username === null ? anonymous : users.get(who.username);
    const bits = own === undefined ? 0 : own.bitsFor(topicName, who, seen);
    if ((bits & DENY) !== 0) return false;
    if ((bits & wanted) !== 0) return true;
    if (patterns === null && patternsWithUser === null) return false;
    const names = this.namesOf(who, device);
    if (this.isDangerous(names)) return false;
    let more = patterns === null ? 0 : patterns.bitsFor(topicName, names, seen);
    if (patternsWithUser !== null && names.username !== null) more |= patternsWithUser.bitsFor(topicName, names, seen);
    return (more & DENY) === 0 && (more & wanted) !== 0;
  }

  private namesOf(who: Identity, device: BoundDevice | null): Names {
    return device === null ? who : { clientId: who.clientId, username: device.name };
  }

  /** A wildcard in a name that is put into a filter would make the filter match what belongs to others. */
  private isDangerous(who: Names): boolean {
    const dangerous = nameThatIsDangerous(who);
    if (dangerous === null) return false;
    const { what, name } = dangerous;
    const text = `ACL denying access to client with dangerous ${what} "${name}"`;
    if (this.warned.size < WARNED_NAMES_MAX && !this.warned.has(text)) {
      this.warned.add(text);
      this.warn(text);
    }
    return true;
  }
}

/** The client's own list is asked before the patterns; within them every rule counts, wherever it stands. */
function byTurn(a: AclRule, b: AclRule): number {
  return Number(isPattern(a)) - Number(isPattern(b)) || a.line - b.line;
}

function isPattern(rule: AclRule): boolean {
  return rule.text.startsWith('pattern ');
}

function nameThatIsDangerous({ username, clientId }: Names): { what: string; name: string } | null {
  if (username !== null && hasWildcard(username)) return { what: 'username', name: username };
  return hasWildcard(clientId) ? { what: 'client id', name: clientId } : null;
}

function hasWildcard(name: string): boolean {
  return name.includes('+') || name.includes('#');
}
