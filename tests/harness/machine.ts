/**
 * What a test borrows from the machine, and how it says what is missing: programs, free ports, a directory of its own.
 */
import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { patienceMs } from './until.ts';

const extraPath = ['/usr/sbin', '/sbin', '/usr/bin', '/bin'];

/** Full path of a program, or null. The sbin folders count: Debian keeps ip and mosquitto there. */
export function findProgram(name: string): string | null {
  for (const folder of [...(process.env['PATH'] ?? '').split(delimiter), ...extraPath]) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not in this folder.
    }
  }
  return null;
}

/** Where Debian has what a test may need, for the line that says why it was skipped. */
const packageOf: Record<string, string> = {
  mosquitto: 'mosquitto',
  mosquitto_passwd: 'mosquitto',
  mosquitto_sub: 'mosquitto-clients',
  mosquitto_pub: 'mosquitto-clients',
  openssl: 'openssl',
  gcc: 'gcc',
  'gnutls-cli': 'gnutls-bin',
  ip: 'iproute2',
  script: 'bsdutils',
};

function missing(need: string): string | null {
  if (need === 'root') return process.getuid?.() === 0 ? null : 'root (for a network namespace)';
  const path = need.startsWith('/') ? (isReadable(need) ? need : null) : findProgram(need);
  return path ? null : packageOf[need] ? `${need} (Debian package ${packageOf[need]})` : need;
}

function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

/** Options for test(): skips it, saying what is missing. Takes program names, absolute paths of files, and `root`. */
export function needs(...things: string[]): { skip: string | false } {
  const gone = things.map(missing).filter(name => name !== null);
  return { skip: gone.length > 0 && `missing here: ${gone.join(', ')}` };
}

/** A directory of one's own below the system's temporary one; `remove` takes it away. */
export function temporaryDirectory(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'zancudo-test-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 5 }) };
}

const handedOut = new Set<number>();
/**
 * Between choosing a port and listening on it other tests run, in processes of their own. So whoever has chosen one sits
 * on the datagram port of the same number: nobody here speaks UDP, only one process can, and the kernel cleans up.
 */
const claims = new Map<number, Socket>();

/** A port that nobody listens on, below the range from which the kernel takes ports for outgoing connections. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 18_000 + Math.floor(Math.random() * 14_000);
    if (handedOut.has(port)) continue;
    handedOut.add(port);
    if (!(await claim(port))) continue;
    if (await canListen(port)) return port;
    giveBack(port);
  }
}

/** It is not needed after all. */
export function giveBack(port: number): void {
  claims.get(port)?.close();
  claims.delete(port);
}

function claim(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = createSocket('udp4').unref();
    socket.once('error', () => resolve((socket.close(), false)));
    socket.bind(port, '127.0.0.1', () => resolve((claims.set(port, socket), true)));
  });
}

function canListen(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, () => server.close(() => resolve(true)));
  });
}

/** Starts a program: here, or inside a network namespace. */
export type Spawn = (command: string, args: readonly string[], options: SpawnOptions) => ChildProcess;

/**
 * Starts a program that must not outlive the test: when a run is cut short, Linux kills it with its parent
 * (prctl(2), PR_SET_PDEATHSIG, set by setpriv), unless it has changed its user in between. Elsewhere only an orderly
 * end of the test takes it along.
 */
export const spawnMortal: Spawn = (command, args, options) => {
  const setpriv = process.platform === 'linux' ? findProgram('setpriv') : null;
  if (!setpriv) return spawn(command, args, options);
  return spawn(setpriv, ['--pdeathsig', 'KILL', '--', command, ...args], options);
};

export interface RunOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  input?: string | Buffer;
  spawn?: Spawn;
  /** After this it is killed, and `code` is null. */
  withinMs?: number;
}

export interface RunResult {
  /** Null when it had to be killed. */
  code: number | null;
  stdout: string;
  stderr: string;
  /** Both, in the order in which they came. */
  output: string;
}

/** Runs a program to its end. */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const child = (options.spawn ?? spawnMortal)(command, args, {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: options.env ?? process.env,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const result = { stdout: '', stderr: '', output: '' };
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => keep('stdout', chunk));
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => keep('stderr', chunk));
  // A program that ends without reading its input is not a failure of the test.
  child.stdin?.on('error', () => {});
  child.stdin?.end(options.input ?? '');
  const timer = setTimeout(() => child.kill('SIGKILL'), options.withinMs ?? patienceMs);
  try {
    return { code: await exitOf(child), ...result };
  } finally {
    clearTimeout(timer);
  }
  function keep(stream: 'stdout' | 'stderr', chunk: string): void {
    result[stream] += chunk;
    result.output += chunk;
  }
}

function exitOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', code => resolve(code));
  });
}
