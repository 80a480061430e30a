/**
 * The flight recorder of a running broker: made before everything else, opened with the ports, and told once a second of
 * what is counted rather than called out (refusals, drops, bridges), so that no message pays for being remembered.
 */
import fs from 'node:fs';
import { dropText } from '../admin/mod.ts';
import type { BridgeFacts } from '../broker/ports.ts';
import type { ReloadReport } from '../admin/mod.ts';
import type { About } from '../base/mod.ts';
import { recordFolder, type Settings } from '../conf/mod.ts';
import type { BrokerLog } from '../observability/mod.ts';
import { FlightRecorder, lastRunOf } from '../observability/recorder/mod.ts';
import type { RunningBroker } from './assemble.ts';
import { productVersion } from './process/mod.ts';

const LOOK_EVERY_MS = 1000;
const PULSE_MS = 60_000;
/** A turn of the event loop may take long, a clock may be slewed; beyond this somebody has set it. */
const JUMP_MS = 5000;
/** A look that comes later than this: the process was held. */
const STALL_MS = 5000;

/** Null where the configuration wants none. Nothing is written before open() is called. */
export function makeRecorder(settings: Settings, home: string | null, log: BrokerLog, wall: () => number): FlightRecorder | null {
  if (!settings.flightRecorder) return null;
  const folder = recordFolder(settings, home);
  const bytesMax = settings.flightRecorderMegabytes * 1_000_000;
  const recorder = new FlightRecorder({ ring: folder === null ? null : { folder, bytesMax }, log, wall });
  if (folder !== null) noteLastEnd(recorder, folder);
  const configuration = settings.path ?? 'without a configuration file';
  const { pid, version: node } = process;
  recorder.note('broker.started', { version: productVersion(), node, pid, boot: bootId(), configuration });
  log.onError = (text, about) => noteError(recorder, log, text, about);
  process.on('uncaughtExceptionMonitor', error => recorder.note('broker.crashed', { pid, error: textOf(error) }));
  return recorder;
} // prettier-ignore

/** What the log says at length, line by line, in one event; what has an event of its own is left to that. */
function noteError(recorder: FlightRecorder, log: BrokerLog, text: string, about: About | null): void {
  const { code, address, bridge } = about ?? {};
  const isTold = address !== undefined || bridge !== undefined || code?.startsWith('store.') === true;
  // A remedy stands on a line of its own; a reload collects what is said during it.
  if (isTold || text.startsWith(' ') || log.overhear !== null) return;
  if (code === 'broker.fault') recorder.note('broker.fault', { error: text });
  else recorder.note('broker.error', { text: text.replace(/\.$/, ''), code });
}

/** A record without an end: the process before this one died, unless it is alive. */
function noteLastEnd(recorder: FlightRecorder, folder: string): void {
  const before = lastRunOrNull(folder);
  if (before === null || before.stopped) return;
  const { pid, boot, last } = before;
  const restarted = boot !== null && boot !== bootId();
  if (!restarted && pid !== null && pid !== process.pid && isAlive(pid)) return;
  recorder.note('broker.died', { pid: pid ?? 0, last, machine: restarted ? 'restarted' : 'running' });
}

/** What cannot be read is told by the recorder itself, when it tries to write there. */
function lastRunOrNull(folder: string): ReturnType<typeof lastRunOf> {
  try {
    return lastRunOf(folder);
  } catch {
    return null;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Another one after each start of the machine; empty where the system does not say. */
function bootId(): string {
  try {
    return fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').slice(0, 8);
  } catch {
    return '';
  }
}

/** From now on, until the returned function is called. */
export function watchForRecorder(running: RunningBroker): () => Promise<void> {
  const { recorder } = running;
  if (recorder === null) return async () => {};
  recorder.open();
  const pulse = new Pulse(running, recorder);
  const bridges = new BridgeNews(recorder);
  const look = (): void => {
    noteCounted(running, recorder);
    bridges.look(running.bridges.facts());
    pulse.beat();
  };
  const timer = setInterval(look, LOOK_EVERY_MS).unref();
  return async () => {
    clearInterval(timer);
    noteCounted(running, recorder);
    recorder.settle();
    recorder.note('broker.stopped', { pid: process.pid, because: 'a signal asked for it' });
    await recorder.close();
  };
}

export function noteReload(recorder: FlightRecorder | null, report: ReloadReport): void {
  const { ok, changed, disconnected, said } = report;
  if (ok && changed.length === 0 && disconnected === 0 && said.length === 0) return;
  const outcome = ok ? (changed.length === 0 ? 'nothing has changed' : 'it is in force') : 'not all of it could be put in force';
  recorder?.note('broker.reloaded', { outcome, changed, disconnected, said });
} // prettier-ignore

function noteCounted({ broker }: RunningBroker, recorder: FlightRecorder): void {
  for (const { clientId: client, refusal } of broker.refusals.news()) {
    const { action, topic, because, count } = refusal;
    recorder.note('message.refused', { client, action, topic, because: because ?? 'too much was refused to look up why', count });
  }
  for (const { clientId: client, cause, count: messages, bytes } of broker.drops.news()) {
    // Told as a refusal, with its rule.
    if (cause === 'denied') continue;
    recorder.note('message.dropped', { client, cause, because: dropText(cause), messages, bytes });
  }
} // prettier-ignore

/** The state of each bridge, when it is another one than a second ago. */
class BridgeNews {
  readonly #recorder: FlightRecorder;
  readonly #known = new Map<string, { connections: number; connected: boolean; errorAt: number; error: string }>();

  constructor(recorder: FlightRecorder) {
    this.#recorder = recorder;
  }

  look(all: readonly BridgeFacts[]): void {
    for (const { name: bridge, state, address, connections, lastError } of all) {
      const before = this.#known.get(bridge) ?? { connections: 0, connected: false, errorAt: 0, error: '' };
      const connected = state === 'connected';
      const error = lastError === null || lastError.at === before.errorAt ? '' : lastError.message;
      // It may have come and gone within the second.
      const cameAgain = connections > before.connections;
      if (before.connected && (!connected || cameAgain)) this.#recorder.note('bridge.disconnected', { bridge, address, error });
      else if (error !== '' && error !== before.error && !cameAgain) this.#recorder.note('bridge.failed', { bridge, address, error });
      if (cameAgain) this.#recorder.note('bridge.connected', { bridge, address });
      if (cameAgain && !connected) this.#recorder.note('bridge.disconnected', { bridge, address, error });
      this.#known.set(bridge, {
        connections,
        connected,
        errorAt: lastError?.at ?? 0,
        // After a success the same words are news again.
        error: connected ? '' : error === '' ? before.error : error,
      });
    }
  }
} // prettier-ignore

/** How the broker is, once a minute; and whether the clock goes on as it should. */
class Pulse {
  readonly #running: RunningBroker;
  readonly #recorder: FlightRecorder;
  #dueAt = performance.now() + PULSE_MS;
  #clockAhead = Date.now() - performance.now();
  #lastAt = performance.now();
  #received = 0;
  #sent = 0;

  constructor(running: RunningBroker, recorder: FlightRecorder) {
    this.#running = running;
    this.#recorder = recorder;
  }

  beat(): void {
    const now = performance.now();
    const ahead = Date.now() - now;
    const late = now - this.#lastAt - LOOK_EVERY_MS;
    if (late > STALL_MS) this.#recorder.note('broker.stalled', { seconds: Math.round(late / 1000) });
    this.#lastAt = now;
    if (Math.abs(ahead - this.#clockAhead) > JUMP_MS) {
      this.#recorder.note('clock.jumped', { seconds: Math.round((ahead - this.#clockAhead) / 1000) });
    }
    this.#clockAhead = ahead;
    if (now < this.#dueAt) return;
    this.#dueAt = now + PULSE_MS;
    const { connected: clients, meter } = this.#running.broker;
    const { publishReceived, publishSent } = meter;
    const [messagesIn, messagesOut] = [publishReceived - this.#received, publishSent - this.#sent];
    [this.#received, this.#sent] = [publishReceived, publishSent];
    const residentBytes = process.memoryUsage.rss();
    const facts = { pid: process.pid, boot: bootId(), clients, messagesIn, messagesOut, residentBytes };
    this.#recorder.note('broker.pulse', facts);
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
