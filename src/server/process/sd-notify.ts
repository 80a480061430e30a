/**
 * Tells systemd how far we are, by way of the program `systemd-notify`, because Node has no Unix datagram sockets.
 *
 *   READY=1 ─ RELOADING=1 ─ READY=1 ─ ... WATCHDOG=1 ... ─ STOPPING=1        one at a time, in this order
 *
 * Its limit: the message comes from a child of ours, so the unit needs `NotifyAccess=all` unless the broker runs as root.
 * Without NOTIFY_SOCKET nothing is started at all.
 */
import { spawn } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';

/** A service manager that does not listen must not keep a broker from ending. */
const LAST_WORD_MS = 2_000;

export interface ServiceManager {
  ready(): void;
  reloading(): void;
  /** Resolves when it has been told, or is not to be waited for any longer. */
  stopping(): Promise<void>;
}

export interface ServiceManagerOptions {
  environment: Readonly<Record<string, string | undefined>>;
  /** Told once, when systemd waits for us and cannot be told. */
  onProblem: (lines: string[]) => void;
  /** Sends the assignments; rejects when that is not possible. */
  notify?: (assignments: string[]) => Promise<void>;
}

export function connectServiceManager(options: ServiceManagerOptions): ServiceManager {
  const { environment, notify = notifyByProgram } = options;
  if (!environment['NOTIFY_SOCKET']) return { ready: () => {}, reloading: () => {}, stopping: async () => {} };
  const send = inOrder(notify, onlyOnce(options.onProblem));
  const watchdog = startWatchdog(environment, send);
  return {
    ready: () => void send(['READY=1']),
    reloading: () => void send(['RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`]),
    stopping: () => {
      clearInterval(watchdog);
      return atMost(LAST_WORD_MS, send(['STOPPING=1']));
    },
  };
}

/** The timer holds the process: what is being told before is told by programs that do not. */
async function atMost(milliseconds: number, told: Promise<void>): Promise<void> {
  const over = new AbortController();
  const pausing = pause(milliseconds, undefined, { signal: over.signal }).catch(() => undefined);
  await Promise.race([told, pausing]);
  over.abort();
}

function inOrder(notify: (assignments: string[]) => Promise<void>, onError: (error: Error) => void) {
  let last = Promise.resolve();
  return (assignments: string[]): Promise<void> => {
    last = last.then(() => notify(assignments)).catch(onError);
    return last;
  };
}

function onlyOnce(onProblem: (lines: string[]) => void): (error: Error) => void {
  let told = false;
  return error => {
    if (told) return;
    told = true;
    onProblem([
      `Warning: Unable to tell systemd that the broker is ready: ${error.message}.`,
      `  The unit needs the program systemd-notify and 'NotifyAccess=all', or 'Type=simple' instead of 'Type=notify'.`,
    ]);
  };
}

/** Half the time systemd allows, unless the watchdog is meant for another process. */
function startWatchdog(
  environment: ServiceManagerOptions['environment'],
  send: (assignments: string[]) => Promise<void>,
): NodeJS.Timeout | undefined {
  const microseconds = Number(environment['WATCHDOG_USEC'] ?? 0);
  const meantForUs = (environment['WATCHDOG_PID'] ?? String(process.pid)) === String(process.pid);
  if (!(microseconds > 0) || !meantForUs) return undefined;
  return setInterval(() => void send(['WATCHDOG=1']), microseconds / 2000).unref();
}

function notifyByProgram(assignments: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('systemd-notify', assignments, { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
    child.unref();
    child.once('error', reject);
    child.once('close', code => {
      if (code === 0) resolve();
      else reject(new Error(`systemd-notify ended with code ${code}${said === '' ? '' : ` (${said.trim()})`}`));
    });
  });
}
