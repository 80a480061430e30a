/** From a plan to a plugin that has started: load the module, call what it exports, look at what that gives, start it. */
import { type Afterwards, brokerFor, type Reach } from './broker-side.ts';
import { faultText } from './faults.ts';
import { LaterAnswers } from './later-answers.ts';
import { loadModule } from './load.ts';
import type { PluginPlan } from './plan.ts';
import { LoadedPlugin, type Surroundings } from './plugin.ts';
import type { Plugin, PluginBroker, PluginModule } from './types.ts';
import { hookNames } from './watchdog.ts';

export interface Workshop extends Surroundings {
  readonly reach: Reach;
  readonly afterwards: Afterwards;
}

export type Made = { ok: true; plugin: LoadedPlugin } | { ok: false; lines: string[] };

export async function makePlugin(plan: PluginPlan, handedOver: unknown, workshop: Workshop): Promise<Made> {
  workshop.log.write('information', `Loading plugin: ${plan.name}`, 'plugin.loading');
  try {
    return { ok: true, plugin: await made(plan, handedOver, workshop) };
  } catch (error) {
    const lines = [`Error: Unable to load plugin "${plan.name}".`, `  ${faultText(error)}`];
    return { ok: false, lines };
  }
}

async function made(plan: PluginPlan, handedOver: unknown, workshop: Workshop): Promise<LoadedPlugin> {
  const module = typeof plan.from === 'string' ? await inTime(plan, loadModule(plan.from)) : null;
  const rulesChanged = (): void => workshop.reach.broker?.rulesChanged();
  const later = new LaterAnswers(workshop.now, rulesChanged);
  const broker = brokerFor(plan, handedOver, workshop.reach, workshop.afterwards, () => {
    later.expire();
    rulesChanged();
  });
  const exported = module === null ? plan.from : module.value;
  const hooks = checked(await inTime(plan, called(exported as PluginModule | undefined, broker)));
  return started(new LoadedPlugin(plan, hooks, module, later, workshop), broker);
}

async function called(exported: PluginModule | undefined, broker: PluginBroker): Promise<Plugin | undefined> {
  return typeof exported === 'function' ? exported(broker) : exported;
}

/** A hook that is spelled otherwise would never be called, and nobody would know. */
function checked(hooks: Plugin | undefined): Plugin {
  if (typeof hooks !== 'object' || hooks === null) {
    throw new TypeError('its default export is neither an object with hooks nor a function that returns one');
  }
  for (const [name, value] of Object.entries(hooks)) {
    const isHook = (hookNames as readonly string[]).includes(name);
    if (isHook && typeof value !== 'function' && value !== undefined)
      throw new TypeError(`its '${name}' is no function`);
    if (!isHook && typeof value === 'function') {
      throw new TypeError(`it has a function '${name}', which is no hook; there are ${hookNames.join(', ')}`);
    }
  }
  if (hookNames.some(name => hooks[name] !== undefined)) return hooks;
  throw new TypeError(`it has none of the hooks ${hookNames.join(', ')}`);
}

async function started(plugin: LoadedPlugin, broker: PluginBroker): Promise<LoadedPlugin> {
  const start = async (): Promise<void> => plugin.hooks.start?.(broker);
  await plugin.inTime(start());
  return plugin;
}

async function inTime<T>({ limits }: PluginPlan, answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const text = `it was not loaded within ${limits.timeoutSeconds} s (plugin_timeout)`;
    timer = setTimeout(() => reject(new Error(text)), limits.timeoutSeconds * 1000);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
