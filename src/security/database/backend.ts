/**
 * One `auth_backend`: who are you, and may you, from a source that may be slow or gone.
 *
 *   CONNECT ── login ── remembered? ── gate ── source ── allow | wrong | unknown
 *                                        └─ no answer: refused, never allowed
 *          └── prepare ── the client's rows, once ── Rights, kept as long as somebody has this identity
 *                                                       └─ read again every cacheSeconds, in the background
 *   PUBLISH, delivery ── Rights, at once
 *
 * The heart asks about every message and cannot wait, so the rows are fetched before the CONNACK. While the source does
 * not answer, those who are in keep the rights they have for staleSeconds, and then have none.
 */
import type { AuthenticationRequest, Identity } from '../../broker/ports.ts';
import type { Access, Answer, AuthenticationAnswer, Reasons, UserSource } from '../authenticator.ts';
import { Answers, type LoginAnswer, loginKey } from './answers.ts';
import { Answered, type Gate, type GateCounts, Outage, whatItSays } from './gate.ts';
import { Rights, type RightsRows } from './rights.ts';
import type { UserBackendSettings } from './settings.ts';
import type { Source, Subject } from './source.ts';
import { TopicAnswers } from './topic-answers.ts';

export interface BackendFacts {
  name: string;
  kind: string;
  answers: boolean;
  counts: GateCounts;
  /** Logins that were answered from memory. */
  remembered: number;
  /** Identities whose rules are kept. */
  identities: number;
}

export interface BackendTold {
  /** Some client's rights are not what they were. */
  rightsChanged: () => void;
  warn: (text: string) => void;
}

interface Held {
  readonly who: Subject;
  rights: Rights | null;
  /** Of a monotonic clock: when the rows were read last, and when they are to be read again. */
  readAt: number;
  dueAt: number;
  loading: Promise<void> | null;
  readonly identities: Set<WeakRef<Identity>>;
}

/** Background reading looks this often for what is due. */
const TICK_MS = 500;
/** Identities of which somebody asks before they were prepared: sessions that came back with the store. */
const RIGHTS_WITH_LOGIN_MAX = 100_000;
const WARNING_EVERY_MS = 60_000;
/** With fewer than this a client that waits for one answer would lose the one before. */
const TOPIC_ANSWERS_MIN = 1000;

export class UserBackend implements UserSource {
  readonly settings: UserBackendSettings;
  private readonly source: Source;
  private readonly gate: Gate;
  private readonly told: BackendTold;
  private readonly answers: Answers;
  private readonly logins = new Map<string, Promise<AuthenticationAnswer>>();
  private readonly held = new Map<string, Held>();
  private readonly byIdentity = new WeakMap<Identity, Held>();
  /** Rights that came with a login and wait for their connection. */
  private readonly granted = new Map<string, RightsRows>();
  /** Null where rules are known in advance. */
  private readonly topics: TopicAnswers | null;
  private readonly timer: NodeJS.Timeout;
  private remembered = 0;
  private reading = 0;
  private lastWarning = { text: '', at: -Infinity, folded: 0 };

  constructor(settings: UserBackendSettings, source: Source, gate: Gate, told: BackendTold) {
    this.settings = settings;
    this.source = source;
    this.gate = gate;
    this.told = told;
    this.answers = new Answers({
      sizeMax: settings.cacheSize,
      allowMs: settings.cacheSeconds * 1000,
      refusalMs: settings.cacheRefusalSeconds * 1000,
    });
    this.topics = source.mayTopic === undefined ? null : this.newTopics();
    this.timer = setInterval(() => this.readWhatIsDue(), TICK_MS);
    this.timer.unref();
  }

  get name(): string {
    return this.settings.name;
  }

  get hasRules(): boolean {
    return this.source.rules !== 'none';
  }

  get facts(): BackendFacts {
    const { name, kind } = this.settings;
    const { answers, counts } = this.gate;
    return { name, kind, answers, counts, remembered: this.remembered, identities: this.held.size };
  }

  authenticate(request: AuthenticationRequest): AuthenticationAnswer | Promise<AuthenticationAnswer> {
    const { username, password } = request;
    if (username === null) return 'ignore';
    if (password === null) return 'defer';
    const who: Subject = { username, clientId: request.clientId, address: request.address };
    const subject = this.keyOf(who);
    const login = loginKey([subject], password);
    const known = this.answers.get(login, performance.now());
    if (known !== null) {
      this.remembered++;
      return this.verdict(known);
    }
    // Devices that share a name come back together: one of them asks for all.
    const open = this.logins.get(login);
    if (open !== undefined) return open;
    const asked = this.login(who, password, login, subject).finally(() => this.logins.delete(login));
    this.logins.set(login, asked);
    return asked;
  }

  /** Fetches what decides about this identity; null when there is nothing to wait for. Resolves to why not. */
  prepare(who: Identity): Promise<string | null> | null {
    if (who.username === null || this.source.rules === 'none' || this.byIdentity.get(who)?.rights) return null;
    const held = this.hold(who, who.username);
    if (held.rights !== null && this.source.rules === 'asked' && held.dueAt > performance.now()) return null;
    if (this.source.rules === 'with login') {
      const rows = this.granted.get(this.keyOf(held.who));
      this.granted.delete(this.keyOf(held.who));
      if (rows !== undefined || held.rights === null) this.take(held, rows ?? { superuser: false, rules: [] });
      return null;
    }
    return this.read(held).then(
      () => null,
      (error: unknown) => this.whyNot(error),
    );
  }

  /** Null when `may` can answer; otherwise for when it can. Never rejects. */
  ask(access: Access, who: Identity, topic: string): Promise<void> | null {
    const { topics } = this;
    if (topics === null || access === 'unsubscribe' || who.username === null) return null;
    if (this.rightsOf(who)?.superuser === true) return null;
    const { username, clientId, address } = who;
    const question = (): Promise<boolean> => this.source.mayTopic!({ username, clientId, address }, access, topic);
    return topics.ask(topicKey(access, who, topic), performance.now(), () => this.answered(question));
  }

  get asks(): boolean {
    return this.topics !== null;
  }

  may(access: Access, who: Identity, topic: string): Answer {
    if (this.source.rules === 'none') return 'ignore';
    const rights = this.rightsOf(who);
    if (rights === null) return 'defer';
    if (this.topics === null || rights.superuser || access === 'unsubscribe') return rights.may(access, who, topic);
    return this.topics.may(topicKey(access, who, topic), performance.now()) ? 'allow' : 'defer';
  }

  explain(access: Access, who: Identity, topic: string): Reasons {
    if (this.source.rules === 'none')
      return { answer: 'ignore', because: `${this.name} says nothing about topics`, tried: [] };
    const rights = this.rightsOf(who);
    if (rights !== null && (this.topics === null || rights.superuser)) return rights.explain(access, who, topic);
    if (rights !== null) {
      const answer = this.may(access, who, topic);
      return { answer, because: `${this.name}, asked for this topic, ${answer === 'allow' ? 'allows it' : 'does not allow it, or does not answer'}`, tried: [] }; // prettier-ignore
    }
    const because =
      who.username === null
        ? `${this.name} knows nobody without a user name`
        : `${this.name} has not said yet, or for too long, what '${who.username}' may do`;
    return { answer: 'defer', because, tried: [] };
  }

  /** Everything is asked for anew: logins at once, rules in the background. */
  flush(): void {
    this.answers.clear();
    this.topics?.flush();
    for (const held of this.held.values()) held.dueAt = 0;
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    this.gate.stop();
    await this.source.close().catch(() => undefined);
  }

  private async login(who: Subject, password: Buffer, login: string, subject: string): Promise<AuthenticationAnswer> {
    try {
      const { answer, rights, because } = await this.source.login(who, password);
      // What depends on the moment, such as a token's end, is not remembered longer than it holds.
      if (rights === undefined) this.answers.put(login, subject, answer, performance.now());
      else this.grant(subject, rights);
      return this.verdict(answer, because);
    } catch (error) {
      return { deny: this.whyNot(error), undecided: true };
    }
  }

  private newTopics(): TopicAnswers {
    const { cacheSize, cacheSeconds, cacheRefusalSeconds, staleSeconds } = this.settings;
    return new TopicAnswers(
      {
        sizeMax: Math.max(cacheSize, TOPIC_ANSWERS_MIN),
        freshMs: cacheSeconds * 1000,
        refusalMs: cacheRefusalSeconds * 1000,
        staleMs: staleSeconds * 1000,
      },
      () => this.told.rightsChanged(),
    );
  }

  /** What is wrong with an answer goes into the log. */
  private async answered(question: () => Promise<boolean>): Promise<boolean> {
    try {
      return await question();
    } catch (error) {
      if (error instanceof Answered) this.whyNot(error);
      throw error;
    }
  }

  private grant(subject: string, rights: RightsRows): void {
    this.granted.delete(subject);
    this.granted.set(subject, rights);
    const [oldest] = this.granted.keys();
    if (this.granted.size > RIGHTS_WITH_LOGIN_MAX && oldest !== undefined) this.granted.delete(oldest);
  }

  private verdict(answer: LoginAnswer, because?: string): AuthenticationAnswer {
    if (answer === 'allow') return 'allow';
    if (answer === 'unknown') return 'defer';
    return { deny: because ?? `wrong password, says ${this.name}` };
  }

  private whyNot(error: unknown): string {
    if (error instanceof Outage) return `${this.name} could not be asked: ${error.message}`;
    const text = `${this.name} (${this.settings.where}): ${whatItSays(error)}`;
    if (error instanceof Answered) this.warn(text);
    return text;
  }

  /** The same trouble at every login is told once a minute. */
  private warn(text: string): void {
    const now = performance.now();
    const { lastWarning } = this;
    if (lastWarning.text === text && now - lastWarning.at < WARNING_EVERY_MS) {
      lastWarning.folded++;
      return;
    }
    const again = lastWarning.folded > 0 ? ` (the last of its kind came ${lastWarning.folded} times more)` : '';
    this.lastWarning = { text, at: now, folded: 0 };
    this.told.warn(`Warning: ${text}${again}.`);
  }

  private rightsOf(who: Identity): Rights | null {
    if (who.username === null) return null;
    const held = this.byIdentity.get(who) ?? this.holdLate(who, who.username);
    const { rights } = held;
    if (rights === null) return null;
    if (rights.endsAt !== null && rights.endsAt <= Date.now()) return null;
    return this.isTooOld(held) ? null : rights;
  }

  private isTooOld({ readAt }: Held): boolean {
    const { cacheSeconds, staleSeconds } = this.settings;
    return this.source.rules === 'asked' && performance.now() - readAt > (cacheSeconds + staleSeconds) * 1000;
  }

  private hold(identity: Identity, username: string): Held {
    const who: Subject = { username, clientId: identity.clientId, address: identity.address };
    const key = this.keyOf(who);
    let held = this.held.get(key);
    if (held === undefined) {
      held = { who, rights: null, readAt: 0, dueAt: 0, loading: null, identities: new Set() };
      this.held.set(key, held);
    }
    held.identities.add(new WeakRef(identity));
    this.byIdentity.set(identity, held);
    return held;
  }

  /** Nobody has prepared this identity: its rows are fetched when there is time, and until then it may nothing. */
  private holdLate(identity: Identity, username: string): Held {
    return this.hold(identity, username);
  }

  private read(held: Held): Promise<void> {
    return (held.loading ??= this.source
      .rights(held.who)
      .then(rows => this.take(held, rows))
      .finally(() => (held.loading = null)));
  }

  private take(held: Held, rows: RightsRows): void {
    const { who, rights: before } = held;
    const rights = new Rights(this.name, rows, who);
    const { cacheSeconds } = this.settings;
    const now = performance.now();
    held.readAt = now;
    held.dueAt = now + cacheSeconds * 1000 * (0.75 + Math.random() / 4);
    if (rights.fingerprint === before?.fingerprint) return;
    held.rights = rights;
    if (rights.passedOver > 0) {
      this.warn(
        `${this.name}: ${rights.passedOver} rows of '${who.username}' are no topic filters, or would put a name with a wildcard into one; they say nothing`,
      );
    }
    // Answers that the heart remembers count from what was before; a newcomer has none.
    if (before !== null || held.identities.size > 1) this.told.rightsChanged();
  }

  private readWhatIsDue(): void {
    if (this.source.rules !== 'asked' || !this.gate.answers) return;
    const now = performance.now();
    for (const [key, held] of this.held) {
      if (this.reading >= this.settings.connectionsMax) return;
      if (held.dueAt > now || held.loading !== null) continue;
      if (!isWanted(held)) this.held.delete(key);
      else this.readLater(held);
    }
  }

  private readLater(held: Held): void {
    this.reading++;
    const wasUnknown = held.rights === null;
    // A failure is the gate's to tell; what is there stays until it is too old.
    const later = (): number => (held.dueAt = performance.now() + 1000);
    void this.read(held)
      .then(
        () => wasUnknown && this.told.rightsChanged(),
        error => {
          later();
          if (error instanceof Answered) this.whyNot(error);
        },
      )
      .finally(() => {
        this.reading--;
        this.readWhatIsDue();
      });
  }

  private keyOf({ username, clientId, address }: Subject): string {
    return this.source.usesAddress ? `${username}\n${clientId}\n${address}` : `${username}\n${clientId}`;
  }
}

/** A user name has no NUL, and a topic name neither. */
function topicKey(access: Access, { username, clientId }: Identity, topic: string): string {
  return `${access}\0${username}\0${clientId}\0${topic}`;
}

/** False when nobody has one of its identities any more. */
function isWanted({ identities }: Held): boolean {
  for (const reference of identities) if (reference.deref() === undefined) identities.delete(reference);
  return identities.size > 0;
}
