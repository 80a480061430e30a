/**
 * npm run bench:startup: how long the short commands take, beside the least that Node takes, and beside Mosquitto's.
 *
 *   node bench/startup.ts [ROUNDS]     51 unless given; the commands take turns within a round
 *
 * Each is a process from its start to its end, publishing over loopback without TLS to a broker that this starts. With
 * neighbours on the machine, believe the quickest third: what waits for a core says nothing of the program.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { median } from './statistics.ts';

const at = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));
const rounds = Number(process.argv[2] ?? 51);
const home = mkdtempSync(join(tmpdir(), 'zancudo-startup-'));
const port = await freePort();
const broker = spawn(at('bin/zancudo'), ['-p', String(port), '-q'], { stdio: ['ignore', 'ignore', 'pipe'] });

const commands = [
  { name: 'any process (true)', words: ['true'] },
  { name: 'node -e 0', words: [process.execPath, '-e', '0'] },
  { name: 'zancudo pub', words: [at('bin/zancudo'), 'pub', '-p', String(port), '-t', 'a', '-m', 'b'] },
  { name: 'zancudo pub -q 1', words: [at('bin/zancudo'), 'pub', '-p', String(port), '-t', 'a', '-m', 'b', '-q', '1'] },
  { name: 'mosquitto_pub', words: ['mosquitto_pub', '-p', String(port), '-t', 'a', '-m', 'b'] },
].map(command => ({ ...command, tookMs: [] as number[] }));
const least = commands[1]!;

try {
  await answered();
  for (let round = -1; round < rounds; round++) for (const command of commands) runOnce(command, round < 0);
  process.stdout.write(table());
} finally {
  broker.kill();
  rmSync(home, { recursive: true, force: true });
}

/** The first round fills caches and is not counted. */
function runOnce({ name, words, tookMs }: (typeof commands)[number], warmUp: boolean): void {
  const [program = '', ...args] = words;
  const started = process.hrtime.bigint();
  const { status, error } = spawnSync(program, args, { stdio: 'ignore', env: { ...process.env, HOME: home } });
  const ended = process.hrtime.bigint();
  if ((error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT') return;
  if (status !== 0) throw new Error(`${name} ended with ${status}`);
  if (!warmUp) tookMs.push(Number(ended - started) / 1e6);
}

function table(): string {
  const line = (name: string, ...cells: string[]): string =>
    `${name.padEnd(20)}${cells.map(cell => cell.padStart(14)).join('')}\n`;
  const rows = commands.map(({ name, tookMs }) => {
    if (tookMs.length === 0) return line(name, 'not there');
    const figures = [median(tookMs), quick(tookMs)].map(ms => ms.toFixed(1));
    const ratios = [median(tookMs) / median(least.tookMs), quick(tookMs) / quick(least.tookMs)];
    return line(name, figures[0]!, ratios[0]!.toFixed(2), figures[1]!, ratios[1]!.toFixed(2));
  });
  return line('', 'median, ms', 'of node -e 0', 'quick third', 'of node -e 0') + rows.join('');
}

/** The middle of the quickest third. */
function quick(values: readonly number[]): number {
  return median([...values].sort((a, b) => a - b).slice(0, Math.ceil(values.length / 3)));
}

/** Tries until the broker takes a message. */
async function answered(): Promise<void> {
  const [program = '', ...args] = commands[2]!.words;
  for (let attempt = 0; attempt < 100; attempt++) {
    if (spawnSync(program, args, { stdio: 'ignore' }).status === 0) return;
    await new Promise(resolve => setTimeout(resolve, 100));
  }
  throw new Error('the broker does not answer');
}

function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  return new Promise(resolve => {
    server.once('listening', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
