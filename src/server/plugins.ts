/** The plugins in JavaScript of this broker; the part that serves them is loaded with the first one that is named. */
import { systemClock } from '../base/mod.ts';
import type { Broker } from '../broker/mod.ts';
import type { ListenerRules, Log } from '../broker/ports.ts';
import { type PluginSettings, scriptPath, type Settings } from '../conf/mod.ts';
import type { PluginHost, PluginModule, PluginPlan, Wanted } from '../plugins/mod.ts';
import type { Authenticator, Authorizer, ConfiguredAccessControl } from '../security/mod.ts';
import type { StartFailure } from './assemble.ts';
import { exitCodes } from './process/mod.ts';

/** A plugin that is handed in by whoever embeds the broker. */
export interface InlinePlugin {
  name: string;
  plugin: PluginModule;
}

export class PluginOffice {
  /** In the order of asking, changed in place: access control looks at them whenever its rules are made anew. */
  readonly authenticators: Authenticator[];
  readonly authorizers: Authorizer[] = [];
  /** As of the last `prepare`: those that run newer code than before, and whether none had to stay as it was. */
  renewed: readonly string[] = [];
  allLoaded = true;
  readonly #log: Log;
  /** Those that are asked before any plugin. */
  readonly #first: readonly Authenticator[];
  readonly #inline: readonly Wanted[];
  #host: PluginHost | null = null;
  #broker: Broker | null = null;

  constructor(log: Log, first: readonly Authenticator[], inline: readonly InlinePlugin[] = []) {
    this.#log = log;
    this.#first = first;
    this.authenticators = [...first];
    this.#inline = inline.map(({ name, plugin }) => ({
      plan: { name, from: plugin, options: {}, limits },
      listeners: null,
    }));
  }

  /** Before access control is made. */
  async open(settings: Settings, rules: readonly ListenerRules[]): Promise<StartFailure | null> {
    const failure = await this.prepare(settings, rules);
    if (failure === null) this.putInForce();
    else await this.stop();
    return failure;
  }

  attach(broker: Broker, access: ConfiguredAccessControl): void {
    this.#broker = broker;
    this.#attachHost(access);
    if (this.#host !== null) broker.hooks = this.#host.hooks;
  }

  /** After a failure everything is as it was. */
  async prepare(
    settings: Settings,
    rules: readonly ListenerRules[],
    access?: ConfiguredAccessControl,
  ): Promise<StartFailure | null> {
    const wanted = [...this.#inline, ...wantedOf(settings, rules)];
    if (wanted.length === 0 && this.#host === null) return null;
    const isNew = this.#host === null;
    const host = await this.#open(settings);
    if (isNew && access !== undefined) this.#attachHost(access);
    const { ok, lines, renewed } = await host.prepare(wanted);
    this.renewed = renewed;
    this.allLoaded = lines.length === 0;
    if (!ok) return { ok: false, lines, exitCode: exitCodes.securityFile, code: 'plugin.cannot-load' };
    for (const line of lines) this.#log.write('error', line, 'plugin.cannot-load');
    return null;
  }

  /** What `prepare` has loaded is asked from now on, where access control is made anew after it. */
  putInForce(): void {
    const host = this.#host;
    if (host === null) return;
    host.putInForce();
    this.authenticators.splice(0, Infinity, ...this.#first, ...host.authenticators);
    this.authorizers.splice(0, Infinity, ...host.authorizers);
    if (this.#broker !== null) this.#broker.hooks = host.hooks;
  }

  async stop(): Promise<void> {
    await this.#host?.stop();
  }

  #attachHost(access: ConfiguredAccessControl): void {
    const broker = this.#broker;
    if (broker === null) return;
    this.#host?.attach({
      control: broker.control,
      publish: (topic, payload, options) => broker.publish(topic, payload, options),
      rulesChanged: () => access.rulesChanged(),
    });
  }

  async #open({ log }: Settings): Promise<PluginHost> {
    if (this.#host !== null) return this.#host;
    const { PluginHost } = await import('../plugins/mod.ts');
    const logFiles = log.destinations.flatMap(each => (each.kind === 'file' ? [each.path] : []));
    return (this.#host = new PluginHost({ log: this.#log, now: () => systemClock.now(), logFiles }));
  }
}

const limits = { timeoutSeconds: 5, faultsMax: 100, whenFaulty: 'refuse' } as const;

/** One for each plugin line, with the listeners it speaks for; one that is for everybody sees what bridges bring, too. */
function wantedOf({ listeners, plugins, perListenerSettings }: Settings, rules: readonly ListenerRules[]): Wanted[] {
  const scripts = plugins.filter(({ kind }) => kind === 'javascript');
  return scripts.flatMap((plugin): Wanted[] => {
    const plan = planOf(plugin);
    const isForAll = plugin.attached === 'everywhere' || (plugin.attached === 'security-scope' && !perListenerSettings);
    if (isForAll) return [{ plan, listeners: null }];
    const served = rules.filter((_, i) => listeners[i]?.scripts.some(each => isSameLine(each, plugin)));
    return served.length === 0 ? [] : [{ plan, listeners: new Set(served) }];
  });
}

function isSameLine({ place: a }: PluginSettings, { place: b }: PluginSettings): boolean {
  return a.file === b.file && a.line === b.line;
}

function planOf(plugin: PluginSettings): PluginPlan {
  return {
    name: plugin.name ?? plugin.path,
    from: scriptPath(plugin),
    options: Object.fromEntries(plugin.options.map(({ key, value }) => [key, value])),
    limits: { ...limits, ...plugin.limits },
  };
}
