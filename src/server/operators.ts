/**
 * The operators' interface of a running broker: its socket, and what is told there.
 *
 *   admin_socket PATH, or in a home HOME/run/operators.sock  ──>  admin/ serves  ──asks──>  here
 */
import path from 'node:path';
import type {
  CertificateStatus,
  DropsReport,
  OperatorPorts,
  QuarantineReport,
  ReloadReport,
  StatusReport,
  StoreStatus,
} from '../admin/mod.ts';
import { systemClock } from '../base/mod.ts';
import { viewOf } from '../broker/mod.ts';
import { prometheusText, quantile } from '../observability/mod.ts';
import type { RunningBroker } from './assemble.ts';
import { eachOnce } from './certificate-status.ts';
import { Expiries } from './expiry-facts.ts';
import { listenerStatus } from './listener-status.ts';
import { metricFacts } from './metric-facts.ts';
import { productVersion } from './process/mod.ts';
import { factsOf } from './quarantine-topics.ts';
import { notReady } from './ready.ts';
import { storeFacts } from './store-facts.ts';
import { unusual } from './unusual.ts';

/** Below the folder of a home. */
export function operatorsSocketOf(home: string): string {
  return path.join(home, 'run', 'operators.sock');
}

export interface OperatorsOptions {
  running: RunningBroker;
  /** The folder of the home, null when the broker runs on a configuration of its own. */
  home: string | null;
  reload: () => Promise<ReloadReport>;
}

/** Returns what closes it. Where there is no socket to open nothing is loaded. */
export async function openOperators({ running, home, reload }: OperatorsOptions): Promise<() => Promise<void>> {
  const file = running.settings.adminSocket ?? (home === null ? null : operatorsSocketOf(home));
  if (file === null) return async () => {};
  const [{ openOperatorsSocket }, explain] = await Promise.all([import('../admin/mod.ts'), import('./explain/mod.ts')]);
  const expiries = new Expiries(home);
  const opened = await openOperatorsSocket(path.resolve(file), {
    log: running.log,
    view: viewOf(running.broker),
    metrics: () => prometheusText(metricFacts(running, expiries)),
    notReady: () => notReady(running),
    status: () => status(running, home, expiries),
    drops: () => drops(running),
    bridges: () => ({ bridges: running.bridges.facts() }),
    bans: running.doorkeeper,
    backends: running.backends,
    control: running.broker.control,
    reload,
    explain: question => explain.explainLive(running, question),
    accessChanges: planned => explain.accessChanges(running, planned),
    recorder: running.recorder,
    record: () => running.recorder?.inMemory ?? [],
    quarantine: () => quarantine(running),
    release: device => running.access.release(device),
  } satisfies OperatorPorts);
  if ('refused' in opened) {
    for (const line of opened.refused) running.log.write('warning', line, 'broker.operators-socket');
    return async () => {};
  }
  running.watch.start();
  running.files.watch(running.settings);
  return () => opened.close();
}

function quarantine({ access, settings }: RunningBroker): QuarantineReport {
  return { policy: settings.devicePolicy, devices: access.quarantined().map(factsOf) };
}

function drops({ broker }: RunningBroker): DropsReport {
  const totals = Object.entries(broker.meter.drops).map(([cause, messages]) => ({ cause, messages }));
  const clients = broker.dropped().map(({ clientId, cause, count, bytes, lastAt }) => {
    return { clientId, cause, messages: count, bytes, lastAt: lastAt * 1000 };
  });
  return { totals, clients };
}

function status(running: RunningBroker, home: string | null, expiries: Expiries): StatusReport {
  const { broker, watch, settings } = running;
  const gauges = broker.gauges();
  const told: Omit<StatusReport, 'unusual'> = {
    version: productVersion(),
    pid: process.pid,
    startedAt: watch.startedAt,
    configuration: settings.path,
    home,
    listeners: listenerStatus(running),
    certificates: certificates(running, expiries),
    clients: {
      connected: gauges.sessionsConnected,
      sessions: gauges.sessionsTotal,
      subscriptions: gauges.subscriptions + gauges.sharedSubscriptions,
      retained: gauges.retainedMessages,
      stored: gauges.storedMessages,
    },
    rates: {
      messagesIn: watch.rate('publishReceived'),
      messagesOut: watch.rate('publishSent'),
      bytesIn: watch.rate('bytesReceived'),
      bytesOut: watch.rate('bytesSent'),
      connects: watch.rate('connectsReceived'),
    },
    store: storeStatus(running),
    process: processStatus(running),
  };
  const quarantined = running.access.quarantined().map(({ device }) => device);
  const { recorder, telemetry, bridges } = running;
  const looked = {
    drops: drops(running).totals,
    bridges: bridges.facts(),
    quarantined,
    recorder,
    spans: telemetry.facts,
  };
  const facts = { ...told, now: systemClock.wall(), meter: broker.meter, ...looked };
  return { ...told, unusual: unusual(facts) };
}

function certificates(running: RunningBroker, expiries: Expiries): CertificateStatus[] {
  const { listeners, devices } = expiries.of(running.settings);
  const ofListeners = listeners.flatMap(({ listener, items }) =>
    items.map(({ kind, subject, name, ends }) => ({ kind, of: listener, subject, file: name, ends })),
  );
  const ofDevices = (devices ?? []).map(({ kind, subject, name, ends }) => ({
    kind,
    of: 'home',
    subject,
    file: name,
    ends,
  }));
  return eachOnce([...ofListeners, ...ofDevices]);
}

function storeStatus(running: RunningBroker): StoreStatus | null {
  const facts = storeFacts(running);
  if (facts === null) return null;
  const { file, fileBytes, waitingChanges, commits, commitSeconds, inTrouble } = facts;
  const commitMs = commits === 0 ? null : (commitSeconds / commits) * 1000;
  return { file, bytes: fileBytes, waitingChanges, commits, commitMs, inTrouble };
}

/** Above the last bound of the histogram all that is known is that it was more. */
const LATE_SECONDS_TOLD_MAX = 2.5;

function processStatus({ watch, settings }: RunningBroker): StatusReport['process'] {
  const { rss, heapUsed } = process.memoryUsage();
  return {
    residentBytes: rss,
    heapBytes: heapUsed,
    busy: watch.busy,
    lateMs: Math.min(quantile(watch.loop.late, 0.99), LATE_SECONDS_TOLD_MAX) * 1000,
    threads: settings.persistence ? 2 : 1,
  };
}
