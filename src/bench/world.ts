/**
 * One run: the crowd of members, their links, the clocks around each phase, and the first thing that went wrong.
 *
 * A scenario is a function of a world: it makes members, opens them, lets them send, and waits. Whatever fails ends the
 * waiting; what was counted until then is told all the same.
 */
import type { Histogram } from './histogram.ts';
import { Ledger } from './ledger.ts';
import { lineOpener, type OpenLine, type TlsSeen } from './line.ts';
import { Member, type Crowd } from './member.ts';
import type { Outcome, Phase } from './outcome.ts';
import type { Access, Plan } from './plan.ts';
import { Publisher } from './publisher.ts';
import { makeTemplate } from './stamp.ts';
import { sharpenTimers, Turn } from './turn.ts';
import { ownCpuSeconds, usageOf, type Usage } from './usage.ts';

/** Nothing moved for this long: what has not come will not come. */
const stallMs = 5_000;
const checkMs = 50;

export interface Progress {
  delivered: number;
  connected: number;
  seconds: number;
}

export interface Sample {
  usage: Usage;
  ownCpuSeconds: number;
}

export class World implements Crowd {
  readonly turn = new Turn();
  readonly plan: Plan;
  readonly version: Plan['version'];
  readonly size: number;
  readonly run = (Math.random() * 0xffff_ffff) >>> 0;
  readonly tlsSeen: TlsSeen = { name: '', resumed: 0 };
  readonly phases: Phase[] = [];
  publishers: Publisher[] = [];
  publisherMembers: Member[] = [];
  subscribers: Member[] = [];
  ledger = new Ledger({ inOrder: true, due: 1, cap: 1 }, []);
  latency: Histogram | null = null;
  fault: string | null = null;
  readyCount = 0;
  endedCount = 0;
  subscribedCount = 0;
  pongs = 0;
  /** Each message brings the number of the publisher's stream at this subscriber, or one for each publisher. */
  slotPerPublisher = false;
  afterReady: (member: Member) => void = () => undefined;
  afterEnd: (member: Member, asked: boolean) => void = () => undefined;
  private readonly access: Access;
  private openLine: OpenLine = () => {
    throw new Error('prepare() comes first');
  };
  private serial = 0;
  private moved = 0;
  private foreign = 0;

  constructor(plan: Plan, access: Access) {
    this.plan = plan;
    this.version = plan.version;
    this.size = plan.size;
    this.access = access;
  }

  async prepare(): Promise<void> {
    sharpenTimers();
    this.openLine = await lineOpener(this.access, this.tlsSeen, this.plan.resume);
  }

  get isTimed(): boolean {
    return this.latency !== null;
  }

  fail(why: string): void {
    this.fault ??= why;
    this.turn.schedule();
  }

  onReady(member: Member): void {
    this.readyCount++;
    this.moved++;
    this.afterReady(member);
  }

  onSubscribed(): void {
    this.subscribedCount++;
    this.moved++;
  }

  onPong(): void {
    this.pongs++;
    this.moved++;
  }

  onForeign(): void {
    this.foreign++;
  }

  onDelivery(member: Member, publisher: number, number: number, time: number): void {
    if (time > 0) this.latency?.add(tenths() - time);
    const wrong = this.ledger.take(member.expected, this.slotPerPublisher ? publisher : 0, publisher, number);
    if (wrong !== null) this.fail(wrong);
    this.moved++;
  }

  onEnded(member: Member, asked: boolean, why: string): void {
    this.endedCount++;
    this.moved++;
    if (!asked && this.plan.scenario !== 'connect')
      this.fail(`connection ${member.identity.clientId} was lost: ${why}`);
    this.afterEnd(member, asked);
  }

  newMember(role: string, index: number): Member {
    const { username = null, password } = this.access;
    return new Member(this, index, {
      clientId: `bench-${this.run.toString(16)}-${role}${index}`,
      username,
      password: password === undefined ? null : Buffer.from(password),
      persistent: false,
    });
  }

  /** Publishers and subscribers of the plan, and the ledger between them. */
  makeCrowd(rules: {
    inOrder: boolean;
    due: number;
    topic: (publisher: number) => string;
    retain?: boolean;
    vary?: (publisher: number) => (bytes: Buffer, topicAt: number, number: number) => void;
  }): void {
    const { plan } = this;
    this.publisherMembers = Array.from({ length: plan.publishers }, (_, at) => this.newMember('p', at));
    this.publishers = this.publisherMembers.map((member, at) => {
      const { run, size, version } = this;
      const parts = { topic: rules.topic(at), run, publisher: at, size, qos: plan.qos, version, retain: rules.retain ?? false }; // prettier-ignore
      const publisher = new Publisher(member, makeTemplate(parts), plan, this.turn, rules.vary?.(at) ?? null);
      if (rules.due > 1 || !rules.inOrder) publisher.ring = new Uint32Array(plan.cap);
      if (plan.count > 0) publisher.quota = Math.ceil(plan.count / plan.publishers);
      return publisher;
    });
    this.subscribers = Array.from({ length: plan.subscribers }, (_, at) => this.newMember('s', at));
    const slots = this.slotPerPublisher ? plan.publishers : 1;
    for (const member of this.subscribers) {
      member.expected = new Uint32Array(slots);
      member.identity.persistent = plan.persistent;
    }
    this.ledger = new Ledger({ inOrder: rules.inOrder, due: rules.due, cap: plan.cap }, this.publishers);
  }

  open(member: Member): void {
    member.open(this.openLine, this.serial++);
  }

  /** Opens all, a few at a time. */
  async openAll(members: readonly Member[]): Promise<boolean> {
    const before = this.readyCount;
    let next = 0;
    const more = (): boolean => {
      while (
        next < members.length &&
        next - (this.readyCount - before) < this.plan.concurrency &&
        this.fault === null
      ) {
        this.open(members[next++]!);
      }
      return this.readyCount - before >= members.length;
    };
    return this.until(more, 'connecting');
  }

  async subscribeAll(filter: (subscriber: number) => string, members = this.subscribers): Promise<boolean> {
    const before = this.subscribedCount;
    for (const member of members) member.subscribe([filter(member.index)], this.plan.qos);
    return this.until(() => this.subscribedCount - before >= members.length, 'subscribing');
  }

  /** A ping that is answered: the broker has read what came before it. */
  async pinged(member: Member): Promise<boolean> {
    const before = this.pongs;
    member.ping();
    return this.until(() => this.pongs > before, 'a ping');
  }

  /** True once `isDone`; false when something failed or nothing moves any more. */
  until(isDone: () => boolean, what: string): Promise<boolean> {
    return new Promise(resolve => {
      // A broker that reads is alive, too: a million messages to keep are not answered before the last.
      const motion = (): number => this.moved + this.sent;
      let seen = motion();
      let since = performance.now();
      const finish = (result: boolean): void => {
        clearInterval(timer);
        this.turn.onEnd = () => undefined;
        resolve(result);
      };
      const look = (): void => {
        if (this.fault !== null) finish(false);
        else if (isDone()) finish(this.fault === null);
      };
      const timer = setInterval(() => {
        const now = performance.now();
        if (motion() !== seen) [seen, since] = [motion(), now];
        else if (now - since > stallMs) this.fail(`${what}: nothing came for ${stallMs / 1000} s`);
        look();
      }, checkMs);
      this.turn.onEnd = look;
      look();
    });
  }

  /** Waits; false when something failed meanwhile. */
  async rest(ms: number): Promise<boolean> {
    await new Promise(resolve => setTimeout(resolve, ms));
    return this.fault === null;
  }

  sample(): Sample {
    return { usage: usageOf(this.plan.brokerPids), ownCpuSeconds: ownCpuSeconds() };
  }

  /** Notes what happened between two samples. */
  addPhase(unit: Phase['unit'], count: number, from: Sample, to: Sample): void {
    const seconds = to.usage.wall - from.usage.wall;
    const known = from.usage.found > 0 && to.usage.found === from.usage.found;
    const cpu = known ? to.usage.cpuSeconds - from.usage.cpuSeconds : null;
    const own = to.ownCpuSeconds - from.ownCpuSeconds;
    const each = (value: number | null): number | null => (value === null || count === 0 ? null : value / count);
    this.phases.push({
      unit,
      count,
      seconds,
      perSecond: count / seconds,
      brokerMicros: each(cpu === null ? null : cpu * 1e6),
      ownMicros: each(own * 1e6) ?? 0,
      brokerPercent: cpu === null ? null : (cpu * 100) / seconds,
      ownPercent: (own * 100) / seconds,
      brokerBytes: each(known ? (to.usage.rssKb - from.usage.rssKb) * 1024 : null),
    });
  }

  progress(since: number): Progress {
    return {
      delivered: this.ledger.delivered,
      connected: this.readyCount - this.endedCount,
      seconds: (performance.now() - since) / 1000,
    };
  }

  get sent(): number {
    return this.publishers.reduce((sum, publisher) => sum + publisher.sent, 0);
  }

  get acknowledged(): number {
    return this.publishers.reduce((sum, publisher) => sum + publisher.acknowledged, 0);
  }

  /** Lets go of all links. */
  closeAll(): void {
    for (const member of [...this.publisherMembers, ...this.subscribers]) member.close();
  }

  outcome(rest: Pick<Outcome, 'latency' | 'rssKb' | 'idlePercent'>): Outcome {
    const { plan, ledger } = this;
    const { lost, repeated, disordered } = ledger.verdict(this.sent);
    // Order is a promise between one publisher and one subscriber; a group may share as it likes.
    const ordered = plan.scenario !== 'tree' && plan.scenario !== 'retained' && plan.scenario !== 'shared';
    if (lost !== 0) this.fail(`${lost} of ${lost + ledger.delivered - repeated} deliveries were lost`);
    if (ordered && disordered > 0) this.fail(`${disordered} deliveries came out of order`);
    if (repeated > 0 && plan.qos !== 1) this.fail(`${repeated} deliveries came twice`);
    const { scenario, version, qos, size, publishers, subscribers } = plan;
    return {
      ...{ scenario, version, qos, size, publishers, subscribers },
      tls: this.tlsSeen.name || null,
      resumed: this.tlsSeen.resumed,
      ...{ sent: this.sent, delivered: ledger.delivered, lost, repeated, disordered, foreign: this.foreign },
      phases: this.phases,
      ...rest,
      ok: this.fault === null,
      fault: this.fault,
    };
  }
}

/** The clock of the stamps. */
export function tenths(): number {
  return (performance.now() * 1e4) >>> 0;
}
