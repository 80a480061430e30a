/**
 * The plugins of one broker: started in the order of their lines, put in force together, and replaced one by one.
 *
 *   open ── start each ──> seats ──> authenticators, authorizers   for access control
 *   prepare ── new, changed ──> waiting ── putInForce ──> seats    hooks   for the heart
 *
 * A plugin that cannot be loaded stops the start; at a reload the instance that runs goes on, and one that is new to the
 * configuration refuses the reload.
 */
import type { Hooks, ListenerRules, Log } from '../broker/ports.ts';
import type { Authenticator, Authorizer } from '../security/mod.ts';
import { authenticatorOf, authorizerOf } from './access.ts';
import { Afterwards, type BrokerAccess, type Reach } from './broker-side.ts';
import { faultText } from './faults.ts';
import { makePlugin, type Workshop } from './make.ts';
import { hooksOf } from './message-hooks.ts';
import type { PluginPlan } from './plan.ts';
import { FAILED, type LoadedPlugin } from './plugin.ts';
import { Seat } from './seat.ts';
import { Watchdog } from './watchdog.ts';

/** A plugin line, and the listeners it speaks for; null for everybody. */
export interface Wanted {
  readonly plan: PluginPlan;
  readonly listeners: ReadonlySet<ListenerRules> | null;
}

export interface HostOptions {
  readonly log: Log;
  readonly now: () => number;
  /** The watchdog writes there, too. */
  readonly logFiles: readonly string[];
}

/** One line of the next configuration: who will sit there, and who sits there now. */
interface Prepared {
  wanted: Wanted;
  plugin: LoadedPlugin;
  before: Seat | null;
}

export interface PreparedPlugins {
  ok: boolean;
  /** What could not be done; with `ok` the plugins that run go on in the place of these. */
  lines: string[];
  /** By name: those that take the place of an older instance. */
  renewed: string[];
}

export class PluginHost {
  #seats: Seat[] = [];
  #prepared: Prepared[] | null = null;
  readonly #reach: Reach;
  readonly #workshop: Workshop;
  readonly #logFiles: readonly string[];

  constructor({ log, now, logFiles }: HostOptions) {
    this.#reach = { log, broker: null };
    this.#logFiles = logFiles;
    const afterwards = new Afterwards(error =>
      log.write('error', `Error: for a plugin: ${faultText(error)}`, 'plugin.fault'),
    );
    this.#workshop = { log, now, reach: this.#reach, watchdog: new Watchdog(), afterwards };
  }

  get isEmpty(): boolean {
    return this.#seats.length === 0 && (this.#prepared?.length ?? 0) === 0;
  }

  /** The broker is there; what plugins have published meanwhile is published now. */
  attach(broker: BrokerAccess): void {
    this.#reach.broker = broker;
    this.#workshop.afterwards.begin();
  }

  /** Loads what is new and what has changed; nothing of it is asked before `putInForce`. */
  async prepare(wanted: readonly Wanted[]): Promise<PreparedPlugins> {
    if (wanted.length > 0) this.#workshop.watchdog.start(this.#logFiles);
    const left = [...this.#seats];
    const prepared: Prepared[] = [];
    const lines: string[] = [];
    for (const each of wanted) {
      const before = takeSeat(left, each.plan);
      const made = await this.#successor(before, each.plan);
      lines.push(...made.lines);
      if (made.plugin === null) {
        await this.#giveUp(prepared);
        return { ok: false, lines, renewed: [] };
      }
      prepared.push({ wanted: each, plugin: made.plugin, before });
    }
    this.#prepared = prepared;
    const renewed = prepared.filter(({ plugin, before }) => before !== null && before.plugin !== plugin);
    return { ok: true, lines, renewed: renewed.map(({ plugin }) => plugin.plan.name) };
  }

  /** To be called after `prepare`, and before the access rules are made anew. */
  putInForce(): void {
    if (this.#prepared === null) return;
    const before = this.#seats.map(({ plugin }) => plugin);
    this.#seats = this.#prepared.map(({ wanted, plugin, before: seat }) => {
      if (seat === null) return new Seat(plugin, wanted.listeners);
      return Object.assign(seat, { plugin, listeners: wanted.listeners });
    });
    this.#prepared = null;
    const here = new Set(this.#seats.map(({ plugin }) => plugin));
    for (const plugin of before) {
      if (!here.has(plugin)) void this.#end(plugin);
      else if (plugin.hooks.onReload) plugin.tell('onReload', hooks => hooks.onReload?.());
    }
  }

  /** In the order of asking. */
  get authenticators(): Authenticator[] {
    return this.#seats.filter(({ plugin }) => plugin.hooks.authenticate !== undefined).map(authenticatorOf);
  }

  get authorizers(): Authorizer[] {
    return this.#seats
      .filter(({ plugin: { hooks } }) => hooks.authorize !== undefined || hooks.authorizeLater !== undefined)
      .map(authorizerOf);
  }

  get hooks(): Hooks {
    const seats = this.#seats;
    const known = new WeakMap<ListenerRules, LoadedPlugin[]>();
    return hooksOf(
      seats.map(({ plugin }) => plugin),
      who => {
        let plugins = known.get(who.listener);
        if (plugins === undefined) {
          plugins = seats.filter(seat => seat.serves(who)).map(({ plugin }) => plugin);
          known.set(who.listener, plugins);
        }
        return plugins;
      },
    );
  }

  async stop(): Promise<void> {
    for (const { plugin } of [...this.#seats].reverse()) await this.#end(plugin);
    this.#seats = [];
    this.#reach.broker = null;
    await this.#workshop.watchdog.stop();
  }

  async #successor(before: Seat | null, plan: PluginPlan): Promise<{ plugin: LoadedPlugin | null; lines: string[] }> {
    if (before !== null && !needsAnother(before.plugin, plan)) return { plugin: before.plugin, lines: [] };
    const handedOver = before === null ? undefined : await this.#handOver(before.plugin);
    const made = await makePlugin(plan, handedOver, this.#workshop);
    if (made.ok) return { plugin: made.plugin, lines: [] };
    if (before === null) return { plugin: null, lines: made.lines };
    return { plugin: before.plugin, lines: [...made.lines, '  The one that runs goes on as it is.'] };
  }

  async #handOver(plugin: LoadedPlugin): Promise<unknown> {
    const state = await plugin.wait('handOver', 'the new one begins with nothing', hooks => hooks.handOver?.());
    return state === FAILED ? undefined : state;
  }

  async #giveUp(prepared: readonly Prepared[]): Promise<void> {
    for (const { plugin, before } of prepared) if (before?.plugin !== plugin) await this.#end(plugin);
  }

  async #end(plugin: LoadedPlugin): Promise<void> {
    await plugin.wait('stop', 'it is gone all the same', hooks => hooks.stop?.());
  }
}

/** The seat of the same line as it was before; each is taken once. */
function takeSeat(seats: Seat[], { name, from }: PluginPlan): Seat | null {
  const at = seats.findIndex(({ plugin: { plan } }) => plan.name === name && plan.from === from);
  return at === -1 ? null : (seats.splice(at, 1)[0] ?? null);
}

/** One that has failed too often gets another chance. */
function needsAnother({ plan, module, faults }: LoadedPlugin, next: PluginPlan): boolean {
  const isSame = JSON.stringify([plan.options, plan.limits]) === JSON.stringify([next.options, next.limits]);
  return !isSame || faults.tooMany || module?.hasChanged() === true;
}
