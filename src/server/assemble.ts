/**
 * Builds a broker from its settings, a part at a time, and takes it down in reverse:
 *
 *   access control ── store ── broker ── listeners ── certificate remarks ── $SYS, tick
 *
 * Whatever fails says so in lines and an exit code; nothing half-built is left behind.
 */
import { randomUUID } from 'node:crypto';
import { enrolmentService, passForExpired, tokenLogin } from '../admin/enrolment-mqtt/mod.ts';
import { codeOf, findingLines, type LogCode, systemClock } from '../base/mod.ts';
import { Broker, TICK_MILLISECONDS } from '../broker/mod.ts';
import type { ListenerRules, Peer } from '../broker/ports.ts';
import { nearestExistingPath, type Settings } from '../conf/mod.ts';
import {
  AddressDoorkeeper,
  type DoorLimits,
  ListenerError,
  type ListenerLimits,
  type ListenerOptions,
  ListenerSet,
  type TlsOptions,
} from '../listeners/mod.ts';
import { createMeter, type BrokerLog, SysTopics } from '../observability/mod.ts';
import type { FlightRecorder } from '../observability/recorder/mod.ts';
import { explainTlsFiles, judgeClient, verdictOfOpenSsl } from '../pki/mod.ts';
import { type ConfiguredAccessControl, createAccessControl, HashQueue } from '../security/mod.ts';
import { Nap, WriteScheduler } from '../transport/mod.ts';
import {
  brokerSettings,
  doorLimits,
  listenerLimits,
  listenerOptions,
  listenerRules,
  securityScopes,
} from './map-settings.ts';
import { openEnrolment } from './enrolment.ts';
import { enrolmentPorts } from './enrolment-by-mqtt.ts';
import { lazyHttpApi, remarkOnHttp } from './http-api.ts';
import { BridgeOffice } from './bridges.ts';
import { AuthBackends, prepareRestored } from './auth-backends.ts';
import { BrokerWatch } from './broker-watch.ts';
import { bansFile, keepBans } from './kept-bans.ts';
import { openDynamicSecurity, serveOwnTopics } from './own-topics.ts';
import { type InlinePlugin, PluginOffice } from './plugins.ts';
import { tellOfQuarantine } from './quarantine-topics.ts';
import { Telemetry } from './telemetry.ts';
import { FileNews } from './reload-words.ts';
import { openStore } from './open-store.ts';
import { productVersion } from './process/mod.ts';

/** A broker with its ports open. */
export interface RunningBroker {
  settings: Settings;
  readonly broker: Broker;
  readonly access: ConfiguredAccessControl;
  readonly listeners: ListenerSet;
  /** In the order of settings.listeners; the objects that access rules and peers point to. */
  readonly rules: readonly ListenerRules[];
  /** Changed in place by a reload. */
  readonly limits: ListenerLimits;
  /** So is this. */
  readonly door: DoorLimits;
  readonly doorkeeper: AddressDoorkeeper;
  readonly sysTopics: SysTopics;
  readonly log: BrokerLog;
  /** Null where the configuration wants none. */
  readonly recorder: FlightRecorder | null;
  readonly watch: BrokerWatch;
  readonly backends: AuthBackends;
  readonly plugins: PluginOffice;
  readonly bridges: BridgeOffice;
  readonly telemetry: Telemetry;
  /** For telling what a reload has changed. */
  readonly files: FileNews;
  /** After a reload: topics of the broker's own that the new settings want. */
  readonly serveTopics: () => void;
  stop(): Promise<void>;
}

export interface StartFailure {
  ok: false;
  lines: readonly string[];
  exitCode: number;
  code?: LogCode;
}

export interface AssembleOptions {
  /** The folder of the home; null when the broker runs on a configuration of its own. */
  home: string | null;
  settings: Settings;
  log: BrokerLog;
  recorder: FlightRecorder | null;
  /** Receives lines for `--tls-keylog`; null for none. */
  keylog: ((line: Buffer) => void) | null;
  /** Told of every peer that has come this far; null for nobody. */
  onPeer: ((peer: Peer) => void) | null;
  /** Handed in by whoever embeds the broker; asked before those that the configuration names. */
  inlinePlugins?: readonly InlinePlugin[];
}

export type StartResult = { ok: true; running: RunningBroker } | StartFailure;

export async function assemble({
  home,
  settings,
  log,
  recorder,
  keylog,
  onPeer,
  inlinePlugins = [],
}: AssembleOptions): Promise<StartResult> {
  const rules = settings.listeners.map(listenerRules);
  const scopes = securityScopes(settings.listeners, rules);
  let running: RunningBroker | null = null;
  const enrolling = enrolmentPorts(settings, rules, log, () => enrolment?.office ?? null);
  const queue = new HashQueue(settings.maxPendingConnections);
  const dynamic = await openDynamicSecurity(settings, log, queue);
  if (!dynamic.ok) return dynamic;
  const backends = new AuthBackends(log, queue, () => created.ok && created.access.rulesChanged());
  const unusable = await backends.prepare(settings);
  if (unusable !== null) return { ok: false, ...unusable };
  const plugins = new PluginOffice(log, enrolling === null ? [] : [tokenLogin(enrolling)], inlinePlugins);
  const unloadable = await plugins.open(settings, rules);
  if (unloadable !== null) return unloadable;
  const created = createAccessControl(scopes, {
    log,
    queue,
    backends,
    ...(dynamic.security === null ? {} : { dynamicSecurity: dynamic.security }),
    authenticators: plugins.authenticators,
    authorizers: plugins.authorizers,
    devicePolicy: settings.devicePolicy,
    wall: () => systemClock.wall(),
    onQuarantine: (device, held) => running !== null && tellOfQuarantine(running, device, held),
  });
  const opened = created.ok ? await openStore(settings, log, recorder) : { ok: false as const, ...created.failure };
  if (!created.ok || !opened.ok) {
    await plugins.stop();
    return opened as StartFailure;
  }
  const { access } = created;
  const meter = createMeter();
  const door = doorLimits(settings);
  const remembering = recorder === null ? {} : { recorder };
  const told = { log, meter, ...remembering };
  const doorkeeper = new AddressDoorkeeper({ limits: door, ...told, wall: () => systemClock.wall() });
  const stopBans = keepBans(bansFile(settings), doorkeeper, log);
  const ports = { clock: systemClock, ...told, access, store: opened.store, doorkeeper, uuid: randomUUID };
  const broker = new Broker(brokerSettings(settings), ports);
  opened.restoreInto(broker, rules);
  await prepareRestored(broker, access);
  plugins.attach(broker, access);
  const bridges = new BridgeOffice(broker, log);
  const telemetry = new Telemetry(broker, log);
  if (enrolling !== null) broker.services.add(enrolmentService(enrolling));
  const limits = listenerLimits(settings);
  const inForce = (): Settings => running?.settings ?? settings;
  const serveTopics = serveOwnTopics(broker, access, dynamic.security, inForce, rules);
  serveTopics();
  const enrolment = openEnrolment({
    settings: inForce,
    log,
    meter,
    reloadAccess: () => access.reload(securityScopes(inForce().listeners, rules))?.lines ?? [],
  });
  const watch = new BrokerWatch(meter, systemClock.wall());
  const httpApi = lazyHttpApi({ running: () => running, log, access, home });
  const scheduler = new WriteScheduler(settings.napMicroseconds === 0 ? null : new Nap(settings.napMicroseconds));
  scheduler.whenFlushed = (turn, isHeld, heldSince) => broker.turnEnded(turn, isHeld, heldSince);
  const listeners = new ListenerSet(
    {
      ...told,
      limits,
      onLink: (link, peer) => {
        onPeer?.(peer);
        void broker.accept(link, peer);
      },
      onHttp: (socket, peer) => {
        if (peer.listener.protocol === 'http_api') httpApi.take(socket, peer);
        else if (enrolment === null) socket.destroy();
        else enrolment.onHttp(socket, peer);
      },
      pendingConnects: () => broker.connections.size - broker.connected,
      explain: (error, files) => explanation(error, files),
      turnsAway: peer => doorkeeper.turnsAway(peer),
      judge: (chain, trust) => judgeClient(chain, trust, systemClock.wall()),
      judgementOfOpenssl: verdictOfOpenSsl,
      passForExpired: (listener, der) => (enrolling === null ? null : passForExpired(enrolling, listener, der)),
      keylog,
    },
    scheduler,
  );
  const options = optionsOf(settings, rules, access);
  await bridges.prepare(settings);
  try {
    await openListeners(listeners, options, settings.localOnly);
  } catch (error) {
    enrolment?.stop();
    await bridges.stop();
    await plugins.stop();
    await opened.close();
    if (!(error instanceof ListenerError)) throw error;
    return { ok: false, lines: error.lines, exitCode: error.exitCode, code: 'listener.cannot-open' };
  }
  remarkOnCertificates(log, options);
  remarkOnHttp(log, listeners, settings);
  if (rules.some(({ protocol }) => protocol === 'http_api')) watch.start();
  const sysTopics = startSysTopics(broker, settings);
  const stopTime = startTime(broker, sysTopics);
  await telemetry.configure(settings);
  bridges.start();
  log.publishTo(line => publishLogLine(broker, line));
  const stop = async (): Promise<void> => {
    stopTime();
    stopBans();
    enrolment?.stop();
    watch.stop();
    httpApi.close();
    log.publishTo(null);
    await bridges.stop();
    await telemetry.stop();
    const closed = listeners.close();
    broker.stop();
    await closed;
    await untilGone(listeners);
    await plugins.stop();
    await dynamic.security?.close();
    await backends.close();
    await opened.close();
  };
  running = {
    settings,
    broker,
    access,
    backends,
    plugins,
    listeners,
    rules,
    limits,
    door,
    doorkeeper,
    sysTopics,
    log,
    recorder,
    watch,
    bridges,
    telemetry,
    files: new FileNews(),
    serveTopics,
    stop,
  };
  return { ok: true, running };
}

export function optionsOf(
  settings: Settings,
  rules: readonly ListenerRules[],
  access: ConfiguredAccessControl,
): ListenerOptions[] {
  const psk = (listener: ListenerRules, identity: string): Buffer | null => access.pskKey(listener, identity);
  return settings.listeners.map((listener, i) => listenerOptions(listener, rules[i]!, psk));
}

/** In local-only mode a machine without one of 127.0.0.1 and ::1 is served over the other. */
async function openListeners(set: ListenerSet, options: ListenerOptions[], localOnly: boolean): Promise<void> {
  try {
    await set.open(options);
  } catch (error) {
    const missing = error instanceof ListenerError && ['EADDRNOTAVAIL', 'EAFNOSUPPORT'].includes(error.systemCode);
    const rest = options.filter(({ rules }) => rules.host !== '::1');
    if (!localOnly || !missing || rest.length === 0 || rest.length === options.length) throw error;
    await set.open(rest);
  }
}

/** Why TLS files do not load, or what will go wrong with them later, in plain words. */
function explanation(error: unknown, files: TlsOptions): string[] {
  const request = { files, error, now: systemClock.wall(), nearest: nearestFile };
  return explainTlsFiles(request).flatMap(finding => findingLines(finding).map(line => `  ${line}`));
}

function nearestFile(file: string): string | null {
  return nearestExistingPath(file)?.candidates[0] ?? null;
}

/** Files that load can still be ones that every client will refuse: better said now than found out one by one. */
export function remarkOnCertificates(log: BrokerLog, options: readonly ListenerOptions[]): void {
  const said = new Set<string>();
  for (const { tls } of options) {
    if (tls === null || tls.certificates.length === 0) continue;
    const request = { files: tls, error: null, now: systemClock.wall(), nearest: nearestFile };
    for (const finding of explainTlsFiles(request)) {
      const lines = findingLines(finding);
      if (finding.severity === 'note' || said.has(lines.join('\n'))) continue;
      said.add(lines.join('\n'));
      for (const line of lines) log.write('warning', line, { code: codeOf(finding), file: finding.where });
    }
  }
}

function startSysTopics(broker: Broker, settings: Settings): SysTopics {
  return new SysTopics({
    publish: (topic, payload) => broker.publish(topic, Buffer.from(payload), { qos: 2, retain: true }),
    meter: broker.meter,
    gauges: () => broker.gauges(),
    clock: systemClock,
    version: productVersion(),
    intervalSeconds: settings.sysIntervalSeconds,
  });
}

function publishLogLine(
  broker: Broker,
  line: { topic: string; payload: string | Buffer; expirySeconds: number },
): void {
  broker.publish(line.topic, Buffer.from(line.payload), { qos: 2, messageExpirySeconds: line.expirySeconds });
}

/** The two clocks of a running broker; returns what stops them. */
function startTime(broker: Broker, sysTopics: SysTopics): () => void {
  const tick = setInterval(() => broker.tick(), TICK_MILLISECONDS);
  let sys: NodeJS.Timeout;
  const watchSys = (): void => {
    try {
      sysTopics.tickIfDue();
    } catch (error) {
      broker.logFault('while counting for $SYS', error);
    }
    // sys_interval 0 may change on a reload, so it is looked at again.
    sys = setTimeout(watchSys, sysTopics.millisecondsToTick() ?? 1000);
  };
  sys = setTimeout(watchSys, sysTopics.millisecondsToTick() ?? 1000);
  return () => {
    clearInterval(tick);
    clearTimeout(sys);
  };
}

/** Last packets get a moment to leave; a peer that does not take them does not hold the stop up. */
const STOP_PATIENCE_MS = 500;

async function untilGone(listeners: ListenerSet): Promise<void> {
  const deadline = performance.now() + STOP_PATIENCE_MS;
  while (listeners.connections > 0 && performance.now() < deadline) {
    await new Promise(resolve => setTimeout(resolve, 5));
  }
}
