/**
 * SIGHUP: everything is read again, and what is good is put in force without cutting anyone who may still be here.
 *
 *   configuration ── access files ── certificates ── put in force ── recheck who is connected ── reopen logs
 *
 * A bad configuration changes nothing; a bad access file keeps the old rules; a bad certificate keeps the old ones.
 */
import type { ReloadReport } from '../admin/mod.ts';
import { planReload, type ReloadPlan } from '../conf/mod.ts';
import { present } from './auth-backends.ts';
import { type RunningBroker, optionsOf, remarkOnCertificates } from './assemble.ts';
import { logFailure, logMessages, reread } from './configuration.ts';
import type { Home } from './first-start.ts';
import { brokerSettings, doorLimits, listenerLimits, listenerRules, securityScopes } from './map-settings.ts';
import { noteReload } from './flight-recorder.ts';
import { changeText } from './reload-words.ts';
import type { BrokerCommand } from './process/mod.ts';

export async function reload(running: RunningBroker, command: BrokerCommand, home: Home | null): Promise<ReloadReport> {
  const { log } = running;
  const report: ReloadReport = { ok: true, changed: [], waits: [], disconnected: 0, said: [] };
  log.overhear = (as, text) => void ((as === 'error' || as === 'warning') && report.said.push(text));
  try {
    log.write('information', 'Reloading config.', 'broker.reloading');
    const found = planned(running, command, home);
    const isOpen = found !== null && (await openNewBackends(running, found)) && (await loadPlugins(running, found));
    const plan = isOpen ? found : null;
    if (plan === null) report.ok = false;
    else {
      putInForce(running, plan, report);
      await running.telemetry.configure(plan.settings);
      report.changed.push(...(await running.bridges.reload(plan.settings)));
    }
    await running.backends.reloaded(running.settings);
    log.reopen();
    await running.broker.recheck(() => report.disconnected++);
  } finally {
    log.overhear = null;
  }
  noteReload(running.recorder, report);
  tellReload(log, report);
  return report;
}

/** For who reloads by a signal, what `zancudo reload` prints; options that wait for the next start have been named. */
function tellReload(log: RunningBroker['log'], { ok, changed, disconnected }: ReloadReport): void {
  for (const each of changed) log.write('information', `In force now: ${each}`, 'broker.reloading');
  if (disconnected > 0)
    log.write(
      'information',
      `${disconnected} clients may no longer be here and were disconnected.`,
      'broker.reloading',
    );
  if (ok && changed.length === 0)
    log.write('information', 'Nothing that takes effect now has changed.', 'broker.reloading');
}

/** Nothing could be done; why. */
export function failedReload(said: string[]): ReloadReport {
  return { ok: false, changed: [], waits: [], disconnected: 0, said };
}

type GoodPlan = Extract<ReloadPlan, { ok: true }>;

/** Null when the new configuration cannot stand; why has been logged. */
function planned(running: RunningBroker, command: BrokerCommand, home: Home | null): GoodPlan | null {
  const { log } = running;
  const result = reread(command, home);
  logMessages(log, result.messages);
  if (!result.ok) {
    logFailure(log, result.failure);
    log.write('error', '  The broker keeps running with its previous settings.', 'broker.reload-failed');
    return null;
  }
  const plan = planReload(running.settings, result.settings);
  if (!plan.ok) {
    logFailure(log, plan.failure);
    return null;
  }
  logMessages(log, plan.messages);
  return plan;
}

/** Before the rules that name them: whoever is here has rows before they count. */
async function openNewBackends({ backends, broker, log }: RunningBroker, { settings }: GoodPlan): Promise<boolean> {
  const failure = await backends.prepare(settings, present(broker));
  if (failure === null) return true;
  for (const line of failure.lines) log.write('error', line, 'broker.reload-failed');
  log.write('error', '  The broker keeps running with its previous settings.', 'broker.reload-failed');
  return false;
}

/** Those that are new or have changed; they count with the rest. */
async function loadPlugins({ plugins, access, rules, log }: RunningBroker, { settings }: GoodPlan): Promise<boolean> {
  const failure = await plugins.prepare(settings, rules, access);
  if (failure === null) return true;
  for (const line of failure.lines) log.write('error', line, 'broker.reload-failed');
  log.write('error', '  The broker keeps running with its previous settings.', 'broker.reload-failed');
  return false;
}

function putInForce(running: RunningBroker, plan: GoodPlan, report: ReloadReport): void {
  const { access, broker, limits, listeners, log, rules } = running;
  const { settings } = plan;
  access.setDevicePolicy(settings.devicePolicy);
  running.plugins.putInForce();
  const failure = access.reload(securityScopes(settings.listeners, rules));
  for (const line of failure?.lines ?? []) log.write('error', line, 'access.file-unreadable');
  // Listeners that could not open at the start (a machine without ::1) have no options.
  const options = optionsOf(settings, settings.listeners.map(listenerRules), access)
    .map((option, i) => withPskOf(running, option, i))
    .filter((_, i) => listeners.opened.some(({ rules: open }) => open === rules[i]));
  const certificates = listeners.reload(options);
  if (certificates) remarkOnCertificates(log, options);
  Object.assign(limits, listenerLimits(settings));
  Object.assign(running.door, doorLimits(settings));
  broker.reconfigure(brokerSettings(settings));
  log.configure(settings.log);
  running.sysTopics.setInterval(settings.sysIntervalSeconds);
  running.settings = settings;
  running.serveTopics();
  report.ok = failure === null && certificates && running.plugins.allLoaded;
  report.changed = [
    ...plan.live.map(changeText),
    ...running.files.news(settings, { access: failure === null, certificates }),
    ...running.plugins.renewed.map(name => `plugin ${name}: loaded anew`),
  ];
  report.waits = plan.restart.map(changeText);
}

/** PSK look-ups go by the rules object that is in force, not by the one that was just read. */
function withPskOf(
  { access, rules }: RunningBroker,
  option: ReturnType<typeof optionsOf>[number],
  i: number,
): ReturnType<typeof optionsOf>[number] {
  const psk = option.tls?.psk;
  if (option.tls === null || psk === null || psk === undefined) return option;
  const lookup = (identity: string): Buffer | null => access.pskKey(rules[i]!, identity);
  return { ...option, tls: { ...option.tls, psk: { hint: psk.hint, lookup } } };
}
