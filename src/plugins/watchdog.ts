/**
 * Plugins run on the thread that routes, because asking another thread about each message would cost more than the message.
 * So one that never returns holds everything up, and nobody on that thread can say so. A second thread can:
 *
 *   routing thread   enter(plugin, hook) … leave()     a heartbeat twice a second
 *                          │ shared memory                  │
 *   watchdog         is the heart still? ──> a line to standard error and the log files that names the plugin
 *
 * It does not stop the loop: what the plugin had begun cannot be undone from outside. A service manager can restart.
 */
import { Worker } from 'node:worker_threads';

/** The fields of the shared memory. */
export const watched = { heartbeat: 0, plugin: 1, hook: 2, length: 3 } as const;

export const HEARTBEAT_MS = 500;

export const hookNames = [
  'start',
  'authenticate',
  'authorize',
  'authorizeLater',
  'messageIn',
  'messageOut',
  'onConnect',
  'onDisconnect',
  'onSubscribe',
  'onUnsubscribe',
  'onPublish',
  'onReload',
  'handOver',
  'stop',
] as const;

export type HookName = (typeof hookNames)[number];

export interface WatchdogStart {
  memory: SharedArrayBuffer;
  /** By number; those that come later are told by a message. */
  names: readonly string[];
  hooks: readonly string[];
  logFiles: readonly string[];
}

export class Watchdog {
  readonly #memory = new SharedArrayBuffer(4 * watched.length);
  readonly #fields = new Int32Array(this.#memory);
  readonly #names: string[] = [];
  #worker: Worker | null = null;
  #heartbeat: NodeJS.Timeout | null = null;

  /** The number of a plugin for `enter`. */
  register(name: string): number {
    const number = this.#names.push(name);
    this.#worker?.postMessage(name);
    return number;
  }

  start(logFiles: readonly string[]): void {
    if (this.#worker !== null) return;
    const start: WatchdogStart = { memory: this.#memory, names: this.#names, hooks: hookNames, logFiles };
    this.#heartbeat = setInterval(() => this.#fields[watched.heartbeat]!++, HEARTBEAT_MS).unref();
    this.#worker = new Worker(new URL('./watchdog-worker.ts', import.meta.url), { workerData: start, stdin: false });
    this.#worker.unref();
  }

  /** The plugin's code runs from here to `leave`. */
  enter(plugin: number, hook: HookName): void {
    this.#fields[watched.plugin] = plugin;
    this.#fields[watched.hook] = hookNames.indexOf(hook);
  }

  leave(): void {
    this.#fields[watched.plugin] = 0;
  }

  async stop(): Promise<void> {
    if (this.#heartbeat !== null) clearInterval(this.#heartbeat);
    const worker = this.#worker;
    this.#worker = null;
    await worker?.terminate();
  }
}
