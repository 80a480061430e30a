/**
 * A week of a broker's life in twenty minutes: thousands of clients that come and go, numbered streams of messages, and
 * one disturbance after another, while memory, timers, descriptors and files are watched.
 *
 *   build ── crowd arrives ── [event ── pause ── look] again and again ── crowd goes ── kill, start ── drain, judge
 *
 * The store's thread and the thread pool are not started anew: a broker whose store's thread has failed acknowledges
 * nothing more and has to be started again, which is what the end of every soak tries.
 */
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Crowd } from './crowd.ts';
import { events } from './events.ts';
import { Stream } from './ledger.ts';
import { WARM_UP_SHARE } from './slope.ts';
import { sourcesChangedSince } from './sources.ts';
import { Stage } from './stage.ts';
import { series, Watch } from './watch.ts';

export interface SoakOptions {
  minutes: number;
  clients: number;
  /** Where heaps of the broker are written to, after the warm-up and at the end; nowhere unless given. */
  snapshots?: string;
  /** Told what happens, a line each. */
  say: (line: string) => void;
}

export interface SoakReport {
  seconds: number;
  connections: number;
  published: number;
  received: number;
  acknowledged: number;
  happened: Record<string, number>;
  skipped: string[];
  table: string[];
  /** Empty when all is well. */
  faults: string[];
  /** What helps to explain faults: what happened when, and whether the program stayed the same. */
  remarks: string[];
}

/** Growth is a matter of minutes; below this the streams alone are judged. */
const JUDGED_FROM_MINUTES = 5;
const DEVICES = 12;
const GAP_MS = 6_000;
const BRIEF_GAP_MS = 200;
/** 83 connections a second at 5,000 clients, which is not what is tried here. */
const ARRIVAL_MS = 60_000;

/** Shares of the run. */
const snapshotAt = { early: WARM_UP_SHARE, late: 0.9 };

export async function soak(options: SoakOptions): Promise<SoakReport> {
  const stage = await Stage.build(DEVICES);
  try {
    return await new Soak(stage, options).run();
  } finally {
    await stage.remove();
  }
}

class Soak {
  readonly #stage: Stage;
  readonly #options: SoakOptions;
  readonly #watch: Watch;
  readonly #crowd: Crowd;
  readonly #streams: Stream[];
  readonly #happened: Record<string, number> = {};
  readonly #faults: string[] = [];
  readonly #timeline: string[] = [];
  readonly #beganAt = Date.now();
  readonly #snapshots = new Set<string>();

  constructor(stage: Stage, options: SoakOptions) {
    this.#stage = stage;
    this.#options = options;
    const pid = (): number => stage.broker.process.pid!;
    this.#watch = new Watch(pid, stage.probe, [stage.home, stage.disk]);
    this.#streams = streamsOf(stage);
    this.#crowd = new Crowd({
      clients: options.clients,
      staysSeconds: this.#isBrief ? 3 : 120,
      publishSeconds: this.#isBrief ? 1 : 20,
      plainPort: stage.ports.plain,
      tlsPort: stage.ports.tls,
      kits: () => stage.kits,
    });
  }

  get #isBrief(): boolean {
    return this.#options.minutes < JUDGED_FROM_MINUTES;
  }

  async run(): Promise<SoakReport> {
    for (const stream of this.#streams) await stream.begin();
    for (const stream of this.#streams) stream.run();
    this.#crowd.begin(this.#isBrief ? 1_000 : ARRIVAL_MS);
    await this.#disturb();
    const { seconds } = this.#watch;
    await this.#crowd.end();
    await this.#comeBack();
    this.#faults.push(...(await Promise.all(this.#streams.map(stream => stream.end()))).flat());
    this.#faults.push(...this.#complaints());
    const told = { skipped: this.#skipped(), table: this.#table(), faults: this.#faults };
    return { seconds, ...this.#sums(), ...told, remarks: this.#remarks() };
  }

  /** Every event at least once, and then until the time is up. */
  async #disturb(): Promise<void> {
    const possible = events.filter(({ lacks }) => (lacks?.(this.#stage) ?? null) === null);
    const deadline = this.#options.minutes * 60;
    for (let round = 0; round === 0 || this.#watch.seconds < deadline; round++) {
      for (const event of possible) {
        if (round > 0 && this.#watch.seconds >= deadline) return;
        await this.#happen(event);
        await pause(this.#isBrief ? BRIEF_GAP_MS : GAP_MS);
        await this.#look();
      }
    }
  }

  async #happen({ name, happen }: (typeof events)[number]): Promise<void> {
    this.#timeline.push(`${this.#watch.seconds.toFixed(1)} s ${name}`);
    try {
      await happen(this.#stage, this.#isBrief);
      this.#happened[name] = (this.#happened[name] ?? 0) + 1;
    } catch (error) {
      this.#faults.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  async #look(): Promise<void> {
    this.#askSnapshots();
    const looked = await this.#watch.look().catch((error: unknown) => this.#gone(error));
    const values = series.map(({ name, value }) => `${name} ${Math.round(value(looked) * 10) / 10}`);
    const { present } = this.#crowd;
    this.#options.say(`${Math.round(this.#watch.seconds)} s: ${present} clients, ${values.join(', ')}`);
  }

  /** Nothing is left to be watched. */
  async #gone(error: unknown): Promise<never> {
    const { broker } = this.#stage;
    await pause(1_000);
    const ended = broker.hasEnded ? `the broker has ended with ${broker.exitCode ?? broker.process.signalCode}` : error;
    throw new Error(
      `after ${Object.keys(this.#happened).at(-1)}: ${String(ended)}; it said:\n${broker.log.slice(-4_000)}`,
    );
  }

  #askSnapshots(): void {
    const { snapshots, minutes } = this.#options;
    if (snapshots === undefined) return;
    for (const [name, share] of Object.entries(snapshotAt)) {
      if (this.#snapshots.has(name) || this.#watch.seconds < minutes * 60 * share) continue;
      this.#snapshots.add(name);
      this.#watch.askSnapshot(join(snapshots, `${name}.heapsnapshot`));
      return;
    }
  }

  /** The end of the run is a kill: what was acknowledged outlives that, too. */
  async #comeBack(): Promise<void> {
    this.#faults.push(...this.#complaints());
    this.#timeline.push(`${this.#watch.seconds.toFixed(1)} s killed`);
    await this.#stage.kill();
    await this.#stage.start();
  }

  /** Lines of the log that no disturbance is a reason for. */
  #complaints(): string[] {
    const lines = [...this.#stage.broker.lines, ...this.#stage.takeOtherLines()];
    return lines.filter(line => /internal fault|please report|Warning: .*Listener/i.test(line));
  }

  #remarks(): string[] {
    const changed = sourcesChangedSince(this.#beganAt);
    const [first] = changed;
    const others = changed.length > 1 ? ` and ${changed.length - 1} more` : '';
    const mixed = `${first}${others} changed meanwhile: brokers that were started again ran another program`;
    return [...(first === undefined ? [] : [mixed]), `what happened when: ${this.#timeline.join(', ')}`];
  }

  #skipped(): string[] {
    return events.flatMap(({ name, lacks }) => {
      const why = lacks?.(this.#stage) ?? null;
      return why === null ? [] : [`${name}: ${why}`];
    });
  }

  #sums(): Pick<SoakReport, 'connections' | 'published' | 'received' | 'acknowledged' | 'happened'> {
    const { connected, published, received, failures } = this.#crowd;
    const acknowledged = this.#streams.reduce((sum, stream) => sum + stream.acknowledged, 0);
    for (const [code, count] of failures) this.#options.say(`${count} attempts to connect failed: ${code}`);
    return { connections: connected, published, received, acknowledged, happened: this.#happened };
  }

  #table(): string[] {
    if (this.#isBrief) return [];
    const rows = this.#watch.judge();
    for (const { name, unit, growth, allowed, grows } of rows) {
      if (grows) this.#faults.push(`${name} grows: by ${round(growth)} ${unit}, allowed ${round(allowed)}`);
    }
    const cells = rows.map(row => [row.name, row.unit, ...[row.first, row.last, row.median, row.growth, row.allowed].map(round), row.grows ? 'GROWS' : 'flat']); // prettier-ignore
    return [['', '', 'first', 'last', 'median', 'growth', 'allowed', ''], ...cells].map(line =>
      line.map((cell, i) => (i === 0 ? cell.padEnd(12) : cell.padStart(8))).join(''),
    );
  }
}

const round = (value: number): string => value.toFixed(1);

/** QoS 1 and 2; with subscribers that stay and that leave; here, and across the bridge in both directions. */
function streamsOf({ ports: { plain, other } }: Stage): Stream[] {
  const here = { publishAt: plain, subscribeAt: plain, perSecond: 10 };
  const leaves = { staysMs: 5_000, awayMs: 3_000 };
  return ([1, 2] as const).flatMap(qos => [
    new Stream({ name: `stays-${qos}`, qos, ...here }),
    new Stream({ name: `leaves-${qos}`, qos, ...here, leaves }),
    new Stream({ name: `over/${qos}`, qos, publishAt: plain, subscribeAt: other, perSecond: 10 }),
    new Stream({ name: `back/${qos}`, qos, publishAt: other, subscribeAt: plain, perSecond: 10 }),
  ]);
}
