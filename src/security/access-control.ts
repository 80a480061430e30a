/**
 * Who are you, and may you: the AccessControl that the heart asks.
 *
 *   listener -> its scope -> authenticators in order, the first definite answer counts
 *                            authorizers in order,    the same
 *
 * The scopes hold everything that was read from files and are replaced as one: a reload reads all the new files first,
 * and if one of them is bad the rules in force stay in force. (Mosquitto 2.1 stops there.)
 */
import type {
  AccessControl,
  AuthenticationRequest,
  EnhancedAuthentication,
  Explanation,
  Identity,
  ListenerRules,
  Log,
  RuleTried,
  Verdict,
} from '../broker/ports.ts';
import { matchesFilter } from '../topics/mod.ts';
import type {
  Access,
  AuthenticationAnswer,
  Authenticator,
  Authorizer,
  DynamicRules,
  EnhancedMethod,
  UserSources,
} from './authenticator.ts';
import type { AclFile } from './acl-file.ts';
import { HashQueue } from './hash-queue.ts';
import { Quarantine, type Quarantined } from './quarantine.ts';
import { loadScopes, type Scopes, type Scope, type SecurityScopes } from './scopes.ts';
import { openScram } from './scram.ts';
import type { FileFailure } from './secret-file.ts';

export interface AccessControlOptions {
  log: Log;
  /** Asked before the files of the scope, in order. */
  authenticators?: readonly Authenticator[];
  authorizers?: readonly Authorizer[];
  /** Asked on the listeners whose scope says so. */
  dynamicSecurity?: DynamicRules;
  /** The `auth_backend`s that the scopes name. */
  backends?: UserSources;
  /** Of all who check or make password hashes; logins beyond its bound are refused as busy. */
  queue?: HashQueue;
  /** What becomes of a device that tries what its certificate does not allow; `refuse` unless given. */
  devicePolicy?: DevicePolicy;
  /** For the date of a quarantine. */
  wall?: () => number;
  /** A device was put into quarantine, or let out. */
  onQuarantine?: (device: string, held: Quarantined | null) => void;
  /** By authentication method (MQTT 5, 4.12), beside SCRAM from password files. */
  enhanced?: ReadonlyMap<string, EnhancedMethod>;
}

export type DevicePolicy = 'refuse' | 'quarantine';

export type AccessControlResult = { ok: true; access: ConfiguredAccessControl } | { ok: false; failure: FileFailure };

export function createAccessControl(scopes: SecurityScopes, options: AccessControlOptions): AccessControlResult {
  const access = new ConfiguredAccessControl(options);
  const failure = access.reload(scopes);
  return failure === null ? { ok: true, access } : { ok: false, failure };
}

export class ConfiguredAccessControl implements AccessControl {
  generation = 0;
  /** True while no rule says anything about topics, so that a delivery needs no asking. */
  readsUnrestricted = false;
  /** True while somebody has to be asked for each topic. */
  asks = false;
  private scopes: Scopes = new Map();
  private readonly queue: HashQueue;
  private readonly log: Log;
  private readonly authenticators: readonly Authenticator[];
  private readonly authorizers: readonly Authorizer[];
  private readonly dynamicSecurity: DynamicRules | null;
  private readonly backends: UserSources | null;
  private readonly methods: ReadonlyMap<string, EnhancedMethod>;
  private devicePolicy: DevicePolicy;
  private readonly quarantine = new Quarantine();
  private readonly wall: () => number;
  private readonly onQuarantine: (device: string, held: Quarantined | null) => void;

  constructor(options: AccessControlOptions) {
    this.log = options.log;
    this.queue = options.queue ?? new HashQueue();
    this.authenticators = options.authenticators ?? [];
    this.authorizers = options.authorizers ?? [];
    this.dynamicSecurity = options.dynamicSecurity ?? null;
    this.backends = options.backends ?? null;
    this.methods = options.enhanced ?? new Map<string, EnhancedMethod>();
    this.devicePolicy = options.devicePolicy ?? 'refuse';
    this.wall = options.wall ?? (() => 0);
    this.onQuarantine = options.onQuarantine ?? (() => {});
  }

  /** Null when the new rules are in force; otherwise nothing has changed and the failure says why. */
  reload(scopes: SecurityScopes): FileFailure | null {
    const loaded = loadScopes(scopes, {
      before: this.scopes,
      queue: this.queue,
      authenticators: this.authenticators,
      authorizers: this.authorizers,
      dynamicSecurity: this.dynamicSecurity,
      backends: this.backends,
      notice: text => this.log.write('notice', text, 'access.notice'),
    });
    if (!loaded.ok) return this.generation === 0 ? loaded.failure : unchanged(loaded.failure);
    for (const text of loaded.warnings) this.log.write('warning', text, 'access.remark');
    this.scopes = loaded.value;
    this.readsUnrestricted = saysNothingAboutTopics(loaded.value);
    this.asks = [...loaded.value.values()].some(hasToAsk);
    this.generation++;
    this.letOutWhoIsAllowed();
    return null;
  }

  /** Rules that are not read from files have changed: answers that somebody remembers are void. */
  rulesChanged(): void {
    this.generation++;
  }

  /** Logins refused because too many passwords were waiting to be checked. */
  get loginsRefusedBusy(): number {
    return this.queue.refused;
  }

  authenticate(request: AuthenticationRequest): Verdict | Promise<Verdict> {
    const scope = this.scopeOf(request.listener);
    if (scope === null) return { allowed: false, because: `no access rules are known for ${request.listener.name}` };
    const { scopes } = this;
    const verdict = ask(scope.authenticators, 0, false, request);
    if (!(verdict instanceof Promise)) return verdict;
    // The file may have been replaced while the hash was computed: then only the new one counts.
    return verdict.then(late => (scopes === this.scopes ? late : this.authenticate(request)));
  }

  /** Every backend of the scope at once; the first that cannot say is the reason. */
  prepare(who: Identity): Promise<string | null> | null {
    const backends = this.scopeOf(who.listener)?.backends ?? [];
    if (backends.length === 0) return null;
    const waits = backends.map(each => each.prepare(who)).filter(wait => wait !== null);
    if (waits.length === 0) return null;
    return Promise.all(waits).then(reasons => reasons.find(reason => reason !== null) ?? null);
  }

  /** In the order of `may`: whoever decides before a source has to be asked spares the question. */
  ask(access: Access, who: Identity, topic: string): Promise<void> | null {
    const scope = who.listener.bridge === undefined ? this.scopeOf(who.listener) : null;
    if (scope === null || !hasToAsk(scope)) return null;
    for (const authorizer of scope.authorizers) {
      const wait = authorizer.ask?.(access, who, topic) ?? null;
      if (wait !== null) return wait;
      const answer = authorizer.may(access, who, topic);
      if (answer === 'allow' || answer === 'deny') return null;
    }
    return null;
  }

  enhanced(method: string, request: AuthenticationRequest): EnhancedAuthentication | null {
    const registered = this.methods.get(method);
    if (registered !== undefined) return registered(request);
    return openScram(method, request, () => this.scopeOf(request.listener)?.scram ?? null);
  }

  /** The key of a TLS-PSK identity, null when it is unknown. */
  pskKey(listener: ListenerRules, identity: string): Buffer | null {
    return this.scopeOf(listener)?.psk?.get(identity) ?? null;
  }

  mayWrite(who: Identity, topicName: string): boolean {
    if (topicName.charCodeAt(0) === DOLLAR && isReserved('write', topicName)) return false;
    return this.may('write', who, topicName);
  }

  mayRead(who: Identity, topicName: string): boolean {
    if (topicName.charCodeAt(0) === DOLLAR && isReserved('read', topicName)) return false;
    return this.may('read', who, topicName);
  }

  maySubscribe(who: Identity, topicFilter: string): boolean {
    return this.may('subscribe', who, topicFilter) && !this.isStrayFilter(who, topicFilter);
  }

  mayUnsubscribe(who: Identity, topicFilter: string): boolean {
    return this.may('unsubscribe', who, topicFilter);
  }

  private may(access: Access, who: Identity, topic: string): boolean {
    if (who.listener.bridge !== undefined) return true;
    const scope = this.scopeOf(who.listener);
    if (scope === null) return false;
    if (this.quarantine.size > 0 && this.heldFor(scope, who) !== null) return false;
    let deferred = false;
    for (const authorizer of scope.authorizers) {
      const answer = authorizer.may(access, who, topic);
      if (answer === 'allow') return true;
      if (answer === 'deny') return false;
      if (answer === 'defer') deferred = true;
    }
    return !deferred;
  }

  explain(access: Access, who: Identity, topic: string): Explanation {
    if ((access === 'read' || access === 'write') && topic.charCodeAt(0) === DOLLAR && isReserved(access, topic)) {
      const because = `${topic.startsWith('$share') ? '$share' : '$SYS'} topics are the broker's own`;
      return { allowed: false, because, tried: [] };
    }
    if (who.listener.bridge !== undefined) return { allowed: true, because: 'a bridge of this broker may', tried: [] };
    const scope = this.scopeOf(who.listener);
    if (scope === null) {
      return { allowed: false, because: `no access rules are known for ${who.listener.name}`, tried: [] };
    }
    const held = this.heldFor(scope, who);
    if (held !== null) return { allowed: false, because: quarantineText(held), tried: [] };
    if (access === 'subscribe' && this.isStrayFilter(who, topic)) {
      return { allowed: false, because: strayText(scope.acl?.deviceOf(who)?.name ?? ''), tried: [] };
    }
    return reasonsOf(scope.authorizers, access, who, topic);
  }

  /** A device that has tried what its certificate does not allow is put into quarantine, where that is the policy. */
  refused(access: Access, who: Identity, topic: string): void {
    if (this.devicePolicy !== 'quarantine' || (access !== 'write' && access !== 'subscribe')) return;
    const scope = this.scopeOf(who.listener);
    const device = scope?.acl?.deviceOf(who) ?? null;
    if (device === null || this.quarantine.of(device.name) !== null) return;
    const { because } = this.explain(access, who, topic);
    const held = { device: device.name, who, access, topic, because, since: this.wall() };
    this.quarantine.put(held);
    this.generation++;
    this.log.write('warning', `Device ${held.device} is in quarantine: ${attemptText(held)}: ${because}.`, {
      code: 'access.quarantined',
      client: who.clientId,
      user: who.username,
      topic,
      rule: because,
    });
    this.log.write(
      'warning',
      `  Nothing of it passes. To let it out: zancudo quarantine release ${held.device}`,
      'access.quarantined',
    );
    this.onQuarantine(held.device, held);
  }

  quarantined(): Quarantined[] {
    return this.quarantine.all();
  }

  /** False when it is in none. */
  release(device: string): boolean {
    if (!this.quarantine.remove(device)) return false;
    this.generation++;
    this.log.write('notice', `Device ${device} is out of quarantine.`, { code: 'access.released', user: device });
    this.onQuarantine(device, null);
    return true;
  }

  setDevicePolicy(policy: DevicePolicy): void {
    this.devicePolicy = policy;
    this.letOutWhoIsAllowed();
  }

  /** One of the certificates that the access rules of this listener bind to the device; null for a name they do not know. */
  certificateOf(listener: ListenerRules, device: string): string | null {
    return this.scopeOf(listener)?.acl?.deviceNamed(device)?.certificate ?? null;
  }

  /** The access files in force, in the order of the listeners. */
  aclFiles(): AclFile[] {
    return [...new Set([...this.scopes.values()].flatMap(({ acl }) => acl ?? []))];
  }

  /** The same rules with another access file in the place of one, or beside none; nothing of it is in force. */
  planned(file: AclFile, insteadOf: AclFile | null): ConfiguredAccessControl {
    const plan = new ConfiguredAccessControl({ log: this.log });
    const changed = [...this.scopes].map(([listener, scope]): [ListenerRules, Scope] => {
      if (scope.acl !== insteadOf) return [listener, scope];
      const authorizers = scope.authorizers.map(each => (each === insteadOf ? file : each));
      return [
        listener,
        { ...scope, acl: file, authorizers: insteadOf === null ? [...authorizers, file] : authorizers },
      ];
    });
    plan.scopes = new Map(changed);
    return plan;
  }

  /** Rules have changed: what was tried may be allowed by now, or nobody is held any more. */
  private letOutWhoIsAllowed(): void {
    for (const { device, who, access, topic } of this.quarantine.all()) {
      const scope = this.scopeOf(who.listener);
      const known = scope?.acl?.deviceOf(who)?.name === device;
      const allowed = scope !== null && known && this.wouldAllow(scope, access, who, topic);
      const isGone = (scope?.acl?.deviceNamed(device) ?? null) === null;
      if (this.devicePolicy === 'refuse' || allowed || isGone) this.release(device);
    }
  }

  private wouldAllow({ authorizers, acl }: Scope, access: Access, who: Identity, topic: string): boolean {
    if (!reasonsOf(authorizers, access, who, topic).allowed) return false;
    return access !== 'subscribe' || acl?.cannotRead(who, topic) !== true;
  }

  /** An access file grants every subscription; for a device that is watched, one that could bring nothing is an attempt. */
  private isStrayFilter(who: Identity, topicFilter: string): boolean {
    if (this.devicePolicy === 'refuse') return false;
    const acl = this.scopeOf(who.listener)?.acl ?? null;
    return acl !== null && acl.deviceOf(who) !== null && acl.cannotRead(who, topicFilter);
  }

  private heldFor({ acl }: Scope, who: Identity): Quarantined | null {
    const device = acl === null ? null : acl.deviceOf(who);
    return device === null ? null : this.quarantine.of(device.name);
  }

  private scopeOf(listener: ListenerRules): Scope | null {
    return this.scopes.get(listener) ?? null;
  }
}

const attempts = { write: 'publish', read: 'receive', subscribe: 'subscribe', unsubscribe: 'unsubscribe' } as const;

export function attemptText({ access, topic }: Pick<Quarantined, 'access' | 'topic'>): string {
  return `it tried to ${attempts[access]} ${topic}`;
}

function quarantineText(held: Quarantined): string {
  return `device '${held.device}' is in quarantine, because ${attemptText(held)}: ${held.because}`;
}

function strayText(device: string): string {
  return `no rule of the certificate of device '${device}' lets anything come by this filter (device_policy quarantine)`;
}

/** Goes the way of `may` and takes the reasons along. */
function reasonsOf(authorizers: readonly Authorizer[], access: Access, who: Identity, topic: string): Explanation {
  const tried: RuleTried[] = [];
  let deferred: string | null = null;
  for (const authorizer of authorizers) {
    const reasons = authorizer.explain(access, who, topic);
    tried.push(...reasons.tried);
    if (reasons.answer === 'allow') return { allowed: true, because: reasons.because, tried };
    if (reasons.answer === 'deny') return { allowed: false, because: reasons.because, tried };
    if (reasons.answer === 'defer') deferred = reasons.because;
  }
  if (deferred !== null) return { allowed: false, because: `nobody who was asked allows it: ${deferred}`, tried };
  return { allowed: true, because: 'no access rules are configured, so everybody may', tried };
}

const DOLLAR = 0x24;

/** `$SYS` is the broker's own, but for the state that a bridge reports; `$share` is no topic at all. */
function isReserved(access: 'read' | 'write', topicName: string): boolean {
  if (topicName.startsWith('$share')) return true;
  return (
    access === 'write' && topicName.startsWith('$SYS') && !matchesFilter('$SYS/broker/connection/+/state', topicName)
  );
}

function hasToAsk({ authorizers }: Scope): boolean {
  return authorizers.some(({ asks }) => asks === true);
}

function saysNothingAboutTopics(scopes: Scopes): boolean {
  return scopes.size > 0 && [...scopes.values()].every(scope => scope.authorizers.length === 0);
}

function unchanged(failure: FileFailure): FileFailure {
  return { ...failure, lines: [...failure.lines, '  The access rules stay as they were before this reload.'] };
}

/** Asks from `first` on; goes on later where an answer takes time. */
function ask(
  authenticators: readonly Authenticator[],
  first: number,
  deferred: boolean,
  request: AuthenticationRequest,
): Verdict | Promise<Verdict> {
  for (const [i, authenticator] of authenticators.entries()) {
    if (i < first) continue;
    const answer = authenticator.authenticate(request);
    if (answer instanceof Promise) {
      return answer.then(
        late => definite(late) ?? ask(authenticators, i + 1, deferred || late === 'defer', request),
        (error: unknown): Verdict => {
          return { allowed: false, because: `the check of the login failed: ${String(error)}`, undecided: true };
        },
      );
    }
    const verdict = definite(answer);
    if (verdict !== null) return verdict;
    if (answer === 'defer') deferred = true;
  }
  return nobodyDecided(authenticators.length, deferred, request);
}

function definite(answer: AuthenticationAnswer): Verdict | null {
  if (answer === 'allow') return { allowed: true };
  if (typeof answer !== 'object') return null;
  if ('allow' in answer) return { allowed: true, pass: answer.allow };
  return { allowed: false, because: answer.deny, ...(answer.undecided === true ? { undecided: true } : {}) };
}

/** Without a password file a name proves nothing: it is treated as the listener treats clients without one. */
function nobodyDecided(asked: number, deferred: boolean, { username, listener }: AuthenticationRequest): Verdict {
  if (listener.allowAnonymous && (username === null || !deferred)) return { allowed: true };
  const toOpen = `anonymous clients are not allowed on ${listener.name}; "allow_anonymous true" would let everybody in, a password_file those who are in it`;
  if (username === null) return { allowed: false, because: toOpen };
  if (deferred) return { allowed: false, because: 'nobody who was asked knows this user' };
  const nobody = asked === 0 ? 'no password_file is configured' : 'nobody is in charge of this user';
  return { allowed: false, because: `${nobody}, and ${toOpen}` };
}
