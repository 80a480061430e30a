/**
 * A broker for one test: bin/zancudo as users start it, on free ports, with a directory of its own.
 *
 *   const broker = await startBroker({ conf: at => `listener ${at.port()} 127.0.0.1\nallow_anonymous true` });
 *   await broker.logged(/New client connected/);
 *   await broker.stop();
 *
 * Ready means that it says "running", which it does when every listener is open.
 */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, giveBack, spawnMortal, temporaryDirectory, type Spawn } from './machine.ts';
import { patienceMs, until } from './until.ts';

/** The program under test. Another one may be named, such as an installed package, to hold it against the same tests. */
export const zancudo =
  process.env['ZANCUDO_UNDER_TEST'] ?? fileURLToPath(new URL('../../bin/zancudo', import.meta.url));

/** What a configuration may refer to. */
export interface Place {
  /** The broker's own directory. */
  directory: string;
  /** The nth free port (0 to 7; 0 unless given); the same number each time it is asked. */
  port(nth?: number): number;
}

export interface BrokerOptions {
  /** Text of the configuration file. One anonymous listener unless given; `null` starts without `-c`. */
  conf?: string | ((at: Place) => string) | null;
  /** Start on this file, which exists already, instead of on `conf`. */
  confPath?: string;
  args?: readonly string[];
  env?: NodeJS.ProcessEnv;
  /** ZANCUDO_HOME; a directory inside the broker's own unless given. */
  home?: string;
  cwd?: string;
  /** Where the process is started; here unless given. */
  spawn?: Spawn;
  /** Says when it is ready, if its log does not come to stderr. */
  isReady?: (broker: Broker) => boolean | Promise<boolean>;
  /** Root drops to another user as Mosquitto does. Without this the test's own user is kept. */
  dropPrivileges?: boolean;
}

/** The broker ended instead of becoming ready. */
export class BrokerEnded extends Error {
  readonly code: number | null;
  readonly lines: readonly string[];
  constructor(code: number | null, lines: readonly string[]) {
    super(`the broker ended with exit code ${code} instead of starting:\n${lines.join('\n')}`);
    this.code = code;
    this.lines = lines;
  }
}

const anonymous = (at: Place): string => `listener ${at.port()} 127.0.0.1\nallow_anonymous true\n`;

export class Broker {
  readonly directory: string;
  readonly ports: readonly number[];
  readonly process: ChildProcess;
  /** Every line of stdout and stderr. */
  readonly lines: string[] = [];
  exitCode: number | null | undefined;
  readonly #remove: () => void;

  constructor(process: ChildProcess, directory: string, ports: readonly number[], remove: () => void) {
    this.process = process;
    this.directory = directory;
    this.ports = ports;
    this.#remove = remove;
    collectLines(process, this.lines);
    process.once('close', code => (this.exitCode = code));
    process.once('error', error => {
      this.lines.push(String(error));
      this.exitCode = null;
    });
  }

  get port(): number {
    return this.ports[0]!;
  }

  get log(): string {
    return this.lines.join('\n');
  }

  get hasEnded(): boolean {
    return this.exitCode !== undefined;
  }

  /** The first line from `from` on that matches; waits for it. */
  async logged(pattern: RegExp, from = 0): Promise<string> {
    const find = (): string | undefined => this.lines.slice(from).find(line => pattern.test(line));
    return until(`${pattern} in the log`, find).catch((error: Error) => {
      throw new Error(`${error.message}; the log has:\n${this.lines.slice(from).join('\n')}`);
    });
  }

  signal(name: NodeJS.Signals): void {
    this.process.kill(name);
  }

  /** Ends it in order (or kills it after long patience), and removes its directory. Returns the exit code. */
  async stop(): Promise<number | null> {
    if (!this.hasEnded) await this.#end();
    this.#remove();
    return this.exitCode ?? null;
  }

  async #end(): Promise<void> {
    const killer = setTimeout(() => this.process.kill('SIGKILL'), patienceMs);
    const closed = once(this.process, 'close');
    this.process.kill('SIGTERM');
    await closed;
    clearTimeout(killer);
  }
}

function collectLines(from: ChildProcess, into: string[]): void {
  for (const stream of [from.stdout, from.stderr]) {
    let open = '';
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      const parts = (open + chunk).split('\n');
      open = parts.pop() ?? '';
      into.push(...parts);
    });
    stream?.on('end', () => open && into.push(open));
  }
}

/** Writes the configuration file and says with which arguments it is started. */
function prepare(options: BrokerOptions, at: Place): string[] {
  if (options.confPath !== undefined) return ['-c', options.confPath];
  if (options.conf === null) return [];
  const conf = options.conf ?? anonymous;
  let text = typeof conf === 'function' ? conf(at) : conf;
  // At the end, so that line numbers in messages stay those of the test.
  if (!options.dropPrivileges && process.getuid?.() === 0 && !/^user\s/m.test(text)) text += '\nuser root\n';
  const path = join(at.directory, 'mosquitto.conf');
  writeFileSync(path, text);
  return ['-c', path];
}

/** As many ports as one configuration may ask for. */
const portsAtMost = 8;

function outOfPorts(nth: number): never {
  throw new Error(`port ${nth}: a test broker has ${portsAtMost} ports`);
}

async function launch(options: BrokerOptions): Promise<Broker> {
  const directory = temporaryDirectory();
  // The user that it drops to must be able to reach its files.
  if (options.dropPrivileges) chmodSync(directory.path, 0o755);
  const free = await Promise.all(Array.from({ length: portsAtMost }, freePort));
  const used: number[] = [];
  const place: Place = { directory: directory.path, port: (nth = 0) => (used[nth] = free[nth] ?? outOfPorts(nth)) };
  const args = [...prepare(options, place), ...(options.args ?? [])];
  for (const port of free) if (!used.includes(port)) giveBack(port);
  const child = (options.spawn ?? spawnMortal)(zancudo, args, {
    cwd: options.cwd ?? directory.path,
    env: { ...process.env, ZANCUDO_HOME: options.home ?? join(directory.path, 'home'), ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return new Broker(child, directory.path, used, () => directory.remove());
}

const saysRunning = (broker: Broker): boolean => broker.lines.some(line => / running\.?$/.test(line));

/** Starts a broker and waits until it is ready. Throws BrokerEnded if it ends instead. */
export async function startBroker(options: BrokerOptions = {}): Promise<Broker> {
  const broker = await launch(options);
  const isReady = options.isReady ?? saysRunning;
  try {
    await until('the broker to be ready', async () => broker.hasEnded || (await isReady(broker)));
    if (broker.hasEnded) throw new BrokerEnded(broker.exitCode ?? null, broker.lines);
    return broker;
  } catch (error) {
    await broker.stop();
    throw error instanceof BrokerEnded ? error : new Error(`${String(error)}; it said:\n${broker.log}`);
  }
}

/** Starts a broker that is to refuse: waits for its end and gives exit code and lines. */
export async function refusedStart(
  options: BrokerOptions,
): Promise<{ code: number | null; log: string; lines: string[] }> {
  const broker = await launch(options);
  try {
    await until('the broker to refuse its configuration', () => broker.hasEnded);
    return { code: broker.exitCode ?? null, log: broker.log, lines: broker.lines };
  } finally {
    await broker.stop();
  }
}
