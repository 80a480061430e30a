/** Results in bench/results: one file for each day and commit; what is measured again replaces what was there. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { brokerKinds, root } from './brokers.ts';
import type { Figures } from './measure.ts';

export interface Machine {
  cpu: string;
  cores: number;
  memoryGb: number;
  kernel: string;
  node: string;
}

export interface CellResult {
  /** One for each round, by broker. */
  rounds: Record<string, Figures[]>;
  /** Of the machine before it began: above the generator's and the broker's two, others were at work. */
  load: number;
}

export interface GrowthPoint {
  x: number;
  rounds: Record<string, Figures[]>;
}

/** What two generators found on the same running broker, in turn. */
export interface Agreement {
  broker: string;
  load: string;
  unit: 'µs' | 'bytes';
  /** One for each round. */
  ours: number[];
  theirs: number[];
}

export interface Results {
  date: string;
  /** ISO 8601; of several results of one day the last counts. */
  savedAt?: string;
  commit: string;
  /** Sources differ from the commit. */
  isChanged: boolean;
  machine: Machine;
  versions: Record<string, string>;
  cells: Record<string, CellResult>;
  /** The same rows by the independent generator. */
  mqload?: Record<string, CellResult>;
  growth: Record<string, GrowthPoint[]>;
  agreement?: Agreement[];
}

export const folder = join(root, 'bench/results');

/** Empty in a copy without its history. */
function git(...args: string[]): string {
  try {
    return execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return '';
  }
}

export function machine(): Machine {
  const [first] = cpus();
  return {
    cpu: first?.model ?? 'unknown',
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    kernel: release().replace(/-.*/, ''),
    node: process.version,
  };
}

/** What was measured today at this commit so far, or an empty sheet. */
export function openResults(): Results {
  const [date, commit] = [new Date().toISOString().slice(0, 10), git('rev-parse', '--short=10', 'HEAD') || 'unknown'];
  const path = join(folder, `${date}-${commit}.json`);
  if (existsSync(path)) return JSON.parse(readFileSync(path, 'utf8')) as Results;
  const versions = brokerKinds
    .map(kind => [kind.name, kind.version()] as const)
    .filter(([, version]) => version !== null);
  return {
    date,
    commit,
    isChanged: git('status', '--porcelain', '--', 'src', 'bin') !== '',
    machine: machine(),
    versions: Object.fromEntries(versions) as Record<string, string>,
    cells: {},
    growth: {},
  };
}

export function saveResults(results: Results): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${results.date}-${results.commit}.json`);
  const saved: Results = { ...results, savedAt: new Date().toISOString() };
  writeFileSync(`${path}.new`, `${JSON.stringify(saved, null, 1)}\n`);
  renameSync(`${path}.new`, path);
  return path;
}

export function allResults(from = folder): Results[] {
  const names = existsSync(from) ? readdirSync(from).filter(name => name.endsWith('.json')) : [];
  const all = names.map(name => JSON.parse(readFileSync(join(from, name), 'utf8')) as Results);
  const time = ({ savedAt, date }: Results): number => Date.parse(savedAt ?? date);
  return all.sort((a, b) => time(a) - time(b));
}

export const loadNow = (): number => loadavg()[0] ?? 0;
