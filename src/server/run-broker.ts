/**
 * The life of a broker process, in Mosquitto's order (docs/compat/runtime.md, 1):
 *
 *   configuration ── privileges ── daemon ── pid file ── log ── access files ── listeners ── running ── signals ── stop
 */
import { flushCompileCache } from 'node:module';
import { codeOf, type Finding, findingLines, type LogCode, systemClock } from '../base/mod.ts';
import type { Settings } from '../conf/mod.ts';
import { BrokerLog } from '../observability/mod.ts';
import { PkiError } from '../pki/mod.ts';
import { assemble, type RunningBroker } from './assemble.ts';
import { bannerLines } from './banner.ts';
import {
  type Configuration,
  logFailure,
  logMessages,
  readConfiguration,
  unresolvableAddress,
} from './configuration.ts';
import { refreshHome, type Home } from './first-start.ts';
import { openKeylog } from './keylog.ts';
import {
  applyUmask,
  type BrokerCommand,
  connectServiceManager,
  type DaemonChannel,
  dropPrivileges,
  exitCodes,
  type ProcessFailure,
  productVersion,
  startDaemon,
  takeDaemonChannel,
  writePidFile,
} from './process/mod.ts';
import { openOperators } from './operators.ts';
import { failedReload, reload } from './reload.ts';
import type { ReloadReport } from '../admin/mod.ts';
import { watchLastSeen } from './last-seen.ts';
import { makeRecorder, watchForRecorder } from './flight-recorder.ts';
import { startForecast } from './forecast.ts';
import { watchHome } from './watch-home.ts';
import { Signals } from './signals-in-force.ts';
import { startPlugins } from './start-plugins.ts';
import { printSubscriptions } from './print-subscriptions.ts';

/** What this build has of the parts that Mosquitto lists at its start. */
const features = ['Persistence', 'TLS', 'TLS-PSK', 'Websockets'];

/** Certificates of the home are looked at this often. */
const RENEWAL_CHECK_MS = 6 * 3_600_000;

/** Runs until a signal stops it; resolves with the exit code. */
export async function runBroker(command: BrokerCommand): Promise<number> {
  const channel = takeDaemonChannel();
  const log = new BrokerLog({
    clock: systemClock,
    verbosity: command.verbosity,
    ...(channel === null ? {} : { standardErrorFd: channel.standardErrorFd }),
  });
  const code = await live(command, log, channel);
  if (!command.testConfiguration || code !== exitCodes.ok) {
    log.write('information', `zancudo version ${productVersion()} terminating`, 'broker.terminating');
  }
  log.close();
  return code;
}

async function live(command: BrokerCommand, log: BrokerLog, channel: DaemonChannel | null): Promise<number> {
  const configuration = await configure(command, log);
  if (configuration === null) return exitCodes.failure;
  const { result, home } = configuration;
  if (result.ok) log.adoptStyle(result.settings.log);
  logMessages(log, result.messages);
  const failure = result.ok ? await unresolvableAddress(result.settings) : result.failure;
  if (!result.ok || failure !== null) {
    logFailure(log, failure!);
    return failure!.exitCode;
  }
  if (command.testConfiguration) {
    process.stdout.write('Configuration file is OK.\n');
    return exitCodes.ok;
  }
  if (home !== null && channel === null) announce(home, log);
  if (command.daemon && channel === null) return startDaemon();
  return start(command, result.settings, home, log, channel);
}

/** Null when the home cannot be made; why has been logged. */
async function configure(command: BrokerCommand, log: BrokerLog): Promise<Configuration | null> {
  try {
    return await readConfiguration(command);
  } catch (error) {
    if (!(error instanceof PkiError)) throw error;
    logFindings(log, [error.finding]);
    return null;
  }
}

function announce(home: Home, log: BrokerLog): void {
  process.stdout.write(`${bannerLines(home).join('\n')}\n\n`);
  home.announced();
  logFindings(log, home.findings);
}

function logFindings(log: BrokerLog, findings: readonly Finding[]): void {
  for (const finding of findings) {
    const as = finding.severity === 'error' ? 'error' : 'warning';
    const about = { code: codeOf(finding), file: finding.where };
    for (const line of findingLines(finding)) log.write(as, line, about);
  }
}

async function start(
  command: BrokerCommand,
  settings: Settings,
  home: Home | null,
  log: BrokerLog,
  channel: DaemonChannel | null,
): Promise<number> {
  // Whoever we become may not write where the launcher told Node to keep compiled code.
  flushCompileCache();
  const privileges = dropPrivileges({ user: settings.user, environment: process.env });
  if (!privileges.ok) return fail(log, privileges);
  for (const { as, text } of privileges.messages) log.write(as, text, 'broker.privileges');
  const umask = applyUmask(process.env);
  if (!umask.ok) return fail(log, umask);
  const pidFile = settings.pidFile === null ? null : writePidFile(settings.pidFile);
  if (pidFile !== null && !pidFile.ok) return fail(log, pidFile);
  log.configure(settings.log);
  log.write('information', `zancudo version ${productVersion()} starting`, 'broker.starting');
  log.write(
    'information',
    settings.path === null ? 'Using default config.' : `Config loaded from ${settings.path}.`,
    'broker.configuration',
  );
  for (const feature of features) log.write('information', `${feature} support available.`, 'broker.feature');
  const plugins = startPlugins(settings.plugins, log);
  const code = plugins.ok ? await serve(command, settings, home, log, channel) : fail(log, plugins);
  pidFile?.remove();
  return code;
}

/** Where a failure brings no code of its own. */
const usualCodes: Readonly<Record<number, LogCode>> = {
  [exitCodes.configuration]: 'conf.invalid',
  [exitCodes.securityFile]: 'access.file-unreadable',
};

function fail(log: BrokerLog, { lines, exitCode, code = usualCodes[exitCode] }: ProcessFailure): number {
  for (const line of lines) log.write('error', line, code ?? 'broker.cannot-start');
  return exitCode;
}

async function serve(
  command: BrokerCommand,
  settings: Settings,
  home: Home | null,
  log: BrokerLog,
  channel: DaemonChannel | null,
): Promise<number> {
  const signals = new Signals();
  const code = await serveUntil(signals, command, settings, home, log, channel);
  signals.close();
  return code;
}

async function serveUntil(
  signals: Signals,
  command: BrokerCommand,
  settings: Settings,
  home: Home | null,
  log: BrokerLog,
  channel: DaemonChannel | null,
): Promise<number> {
  const keylog = command.tlsKeylogFile === null ? null : openKeylog(command.tlsKeylogFile, log);
  if (keylog?.ok === false) return fail(log, keylog);
  if (settings.localOnly) logLocalOnly(log);
  const lastSeen = home === null ? null : watchLastSeen(home.folder, () => systemClock.wall());
  const onPeer = lastSeen === null ? null : lastSeen.note;
  const recorder = makeRecorder(settings, home?.folder ?? null, log, () => systemClock.wall());
  const folder = home?.folder ?? null;
  const started = await assemble({ home: folder, settings, log, recorder, keylog: keylog?.write ?? null, onPeer });
  if (!started.ok) {
    const error = started.lines.map(line => line.trim()).join(' ');
    await recorder?.closeWith('broker.notStarted', { pid: process.pid, error });
    return fail(log, { ...started, lines: [...started.lines] });
  }
  const { running } = started;
  const closeRecorder = watchForRecorder(running);
  const reloadNow = oneAtATime(() => reloadSafely(running, command, home));
  running.files.watch(running.settings);
  const closeOperators = await openOperators({ running, home: home?.folder ?? null, reload: reloadNow });
  log.write('information', `zancudo version ${productVersion()} running`, 'broker.running');
  if (channel !== null) {
    log.redirectStandardError(2);
    channel.ready();
  }
  await untilStopped(signals, { running, command, home, log, reloadNow, closeOperators });
  await closeRecorder();
  lastSeen?.stop();
  return exitCodes.ok;
}

function logLocalOnly(log: BrokerLog): void {
  log.write(
    'warning',
    'Starting in local only mode. Connections will only be possible from clients running on this machine.',
    'broker.local-only',
  );
  log.write(
    'warning',
    'Create a configuration file which defines a listener to allow remote access.',
    'broker.local-only',
  );
  log.write(
    'warning',
    '  Or start zancudo without -p: it makes a broker with TLS and a password for the whole network.',
    'broker.local-only',
  );
}

/** A broker that serves, and who can tell it to do something else. */
interface Serving {
  running: RunningBroker;
  command: BrokerCommand;
  home: Home | null;
  log: BrokerLog;
  reloadNow: () => Promise<ReloadReport>;
  closeOperators: () => Promise<void>;
}

/** Serves signals until one of them says stop. */
async function untilStopped(signals: Signals, serving: Serving): Promise<void> {
  const { running, command, home, log, reloadNow, closeOperators } = serving;
  const manager = connectServiceManager({
    environment: process.env,
    onProblem: lines => lines.forEach(line => log.write('warning', line, 'broker.service-manager')),
  });
  const renewal = home === null ? null : watchCertificates(running, command, home);
  // `zancudo ca` and `zancudo device` work on these.
  const folders = new Set([home?.folder ?? null, running.settings.caHome].filter(folder => folder !== null));
  const stopWatching = [...folders].map(folder => watchHome(folder, async () => void (await reloadNow())));
  const stopForecast = startForecast(running, home?.folder ?? null);
  await new Promise<void>(resolve => {
    signals.serve({
      stop: () => resolve(),
      reload: () => {
        manager.reloading();
        void reloadNow().then(() => manager.ready());
      },
      save: () => log.write('information', saveText(running.settings), 'broker.saved'),
      printSubscriptions: () => printSubscriptions(running.broker, process.stdout),
    });
    manager.ready();
  });
  if (renewal !== null) clearInterval(renewal);
  for (const stop of stopWatching) stop();
  stopForecast();
  const told = manager.stopping();
  await closeOperators();
  await running.stop();
  await told;
}

async function reloadSafely(running: RunningBroker, command: BrokerCommand, home: Home | null): Promise<ReloadReport> {
  try {
    return await reload(running, command, home);
  } catch (error) {
    logFault(running.log, 'reloading', error);
    return failedReload(['A fault of the broker; its log has more. It goes on as it was.']);
  }
}

/** A signal, the operator and the files themselves may ask for a reload in the same moment. */
function oneAtATime<T>(work: () => Promise<T>): () => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return () => {
    const next = last.then(work);
    last = next.catch(() => undefined);
    return next;
  };
}

/** Names and addresses of the machine change, certificates end: the home notices and the listeners follow. */
function watchCertificates(running: RunningBroker, command: BrokerCommand, home: Home): NodeJS.Timeout {
  const look = async (): Promise<void> => {
    const { renewed, findings } = await refreshHome(home);
    logFindings(running.log, findings);
    if (renewed) await reload(running, command, home);
  };
  const timer = setInterval(() => {
    look().catch((error: unknown) => logFault(running.log, 'renewing certificates', error));
  }, RENEWAL_CHECK_MS);
  return timer.unref();
}

/** Mosquitto saves its memory on SIGUSR1; here nothing waits for that. */
function saveText({ persistence }: Settings): string {
  return persistence
    ? 'SIGUSR1: nothing to save, everything that was acknowledged is on the disk.'
    : 'SIGUSR1: nothing to save, persistence is off.';
}

function logFault(log: BrokerLog, doing: string, error: unknown): void {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  log.write(
    'error',
    `Error: internal fault while ${doing}; the broker goes on as it was. Please report: ${text}`,
    'broker.fault',
  );
}
