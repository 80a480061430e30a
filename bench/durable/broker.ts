/** A broker on a folder of its own, which it finds again when it is started anew; what it has cost so far, from /proc. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, root } from '../brokers.ts';
import { RawClient } from './client.ts';

export interface Kind {
  name: string;
  program: string;
  lines: readonly string[];
}

const zancudo = join(root, 'bin/zancudo');
/** A start with millions of messages may take its time. */
const PATIENCE_MS = 120_000;
const mosquitto = '/usr/sbin/mosquitto';

export const kinds: readonly Kind[] = [
  { name: 'zancudo', program: zancudo, lines: ['persistence true'] },
  { name: 'zancudo, durability interval', program: zancudo, lines: ['persistence true', 'durability interval'] },
  { name: 'zancudo, persistence false', program: zancudo, lines: ['persistence false'] },
  { name: 'mosquitto', program: mosquitto, lines: ['persistence true'] },
  { name: 'mosquitto, autosave 1 s', program: mosquitto, lines: ['persistence true', 'autosave_interval 1'] },
].filter(({ program }) => existsSync(program));

export interface Cost {
  cpuSeconds: number;
  writtenBytes: number;
  residentBytes: number;
}

export class DurableBroker {
  readonly #folder: string;
  readonly #kind: Kind;
  port = 0;
  #child: ChildProcess | null = null;

  constructor(kind: Kind) {
    this.#kind = kind;
    this.#folder = mkdtempSync(join(tmpdir(), 'zancudo-durable-'));
  }

  /** Returns how many milliseconds passed until it answered a CONNECT. */
  async start(): Promise<number> {
    this.port = await freePort();
    const conf = join(this.#folder, 'broker.conf');
    const common = [
      `listener ${this.port} 127.0.0.1`,
      'allow_anonymous true',
      'max_queued_messages 0',
      'max_inflight_messages 1000',
      `persistence_location ${this.#folder}/`,
      ...(process.getuid?.() === 0 ? ['user root'] : []),
    ];
    writeFileSync(conf, [...common, ...this.#kind.lines, ''].join('\n'));
    const log = openSync(join(this.#folder, 'log'), 'a');
    const began = performance.now();
    this.#child = spawn(this.#kind.program, ['-c', conf], { stdio: ['ignore', log, log] });
    closeSync(log);
    while (!(await this.#answers())) {
      const isOver = this.#child.exitCode !== null || performance.now() - began > PATIENCE_MS;
      if (isOver) throw new Error(readFileSync(join(this.#folder, 'log'), 'utf8'));
      await new Promise(resolve => setTimeout(resolve, 10));
    }
    return performance.now() - began;
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const ended = once(this.#child!, 'exit');
    this.#child!.kill(signal);
    await ended;
  }

  async discard(): Promise<void> {
    if (this.#child?.exitCode === null && this.#child.signalCode === null) await this.end('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  cost(): Cost {
    const of = (name: string): string => readFileSync(`/proc/${this.pid}/${name}`, 'utf8');
    const fields = of('stat')
      .replace(/^.*\) /, '')
      .split(' ');
    // Fields 14 and 15 of proc(5), in hundredths of a second.
    const cpuSeconds = (Number(fields[11]) + Number(fields[12])) / 100;
    const residentBytes = Number(/VmRSS:\s+(\d+)/.exec(of('status'))?.[1] ?? 0) * 1024;
    return { cpuSeconds, writtenBytes: Number(/^write_bytes: (\d+)/m.exec(of('io'))?.[1] ?? 0), residentBytes };
  }

  /** What it keeps on the disk. */
  get fileBytes(): number {
    const names = ['mosquitto.sqlite3', 'mosquitto.sqlite3-wal', 'mosquitto.db'];
    return names.reduce(
      (sum, name) => sum + (statSync(join(this.#folder, name), { throwIfNoEntry: false })?.size ?? 0),
      0,
    );
  }

  async #answers(): Promise<boolean> {
    try {
      const client = await RawClient.open(this.port, 'is-it-up');
      client.socket.destroy();
      return true;
    } catch {
      return false;
    }
  }
}
