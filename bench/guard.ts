/**
 * npm run bench:guard [-- REF]: has this tree become slower than the last release, or than REF?
 *
 * Both are run in turn, under one generator (this tree's), and compared by CPU time for each message, round by round: a
 * neighbour who takes half the machine takes it from both. Rounds go on until the answer is clear or there were enough.
 * Exit codes: 0 not slower, 1 slower, 2 nothing could be compared.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root, zancudoOf } from './brokers.ts';
import { cells, chosen } from './cells.ts';
import { measure } from './measure.ts';
import { judge, roundsAtMost, type Verdict } from './guard-verdict.ts';

const watched = ['p2p-q0', 'p2p-q1', 'fanout-100', 'tls-p2p'];
const seconds = 2;

const git = (...args: string[]): string => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();

function lastRelease(): string {
  try {
    return execFileSync('git', ['describe', '--tags', '--abbrev=0'], { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim(); // prettier-ignore
  } catch {
    process.stderr.write('There is no release to compare with yet. Name a commit: npm run bench:guard -- REF\n');
    process.exit(2);
  }
}

/** A tree in a folder of its own, on the packages of this one but with no bundle that was built for another tree. */
function makeTree(fill: (folder: string) => void): string {
  const folder = mkdtempSync(join(tmpdir(), 'zancudo-guard-'));
  fill(folder);
  mkdirSync(join(folder, 'node_modules'));
  for (const name of readdirSync(join(root, 'node_modules'))) {
    if (!name.startsWith('.')) symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name));
  }
  return folder;
}

const checkedOut = (ref: string): string =>
  makeTree(folder => execFileSync('sh', ['-c', 'git archive "$1" | tar -x -C "$2"', 'sh', ref, folder], { cwd: root }));

/** As it is now, and stays while it is measured. */
const copied = (): string =>
  makeTree(folder => {
    for (const name of ['bin', 'scripts', 'src', 'package.json']) {
      cpSync(join(root, name), join(folder, name), { recursive: true });
    }
  });

async function compare(before: string, after: string, id: string): Promise<Verdict> {
  const cell = chosen(cells, [id])[0]!;
  const [old, now] = [zancudoOf(before, 'before'), zancudoOf(after, 'now')];
  const ratios: number[] = [];
  for (;;) {
    const load = { args: cell.args, setup: cell.setup ?? {} };
    // Whoever is second finds the machine warm: they take turns.
    const order = ratios.length % 2 === 0 ? [old, now] : [now, old];
    const found = new Map<string, number | null>();
    for (const kind of order) found.set(kind.name, (await measure(kind, load, seconds)).brokerMicros);
    ratios.push((found.get('now') ?? Number.NaN) / (found.get('before') ?? Number.NaN));
    process.stderr.write(`\r\x1b[K${cell.label}: ${ratios.map(ratio => ratio.toFixed(2)).join(' ')}`);
    const verdict = judge(ratios);
    if (verdict !== 'unclear' || ratios.length >= roundsAtMost) {
      process.stderr.write('\r\x1b[K');
      process.stdout.write(
        `${cell.label.padEnd(24)} ${verdict.padEnd(8)} rounds: ${ratios.map(ratio => ratio.toFixed(2)).join(' ')}\n`,
      );
      return verdict;
    }
  }
}

const ref = process.argv[2] ?? lastRelease();
const trees: string[] = [];
try {
  process.stdout.write(`CPU for each message, this tree for one of ${ref} (${git('rev-parse', '--short=10', ref)})\n`);
  const [before, after] = [checkedOut(ref), copied()];
  trees.push(before, after);
  const verdicts: Verdict[] = [];
  for (const id of watched) verdicts.push(await compare(before, after, id));
  process.exitCode = verdicts.includes('slower') ? 1 : 0;
} catch (error) {
  // Not to be taken for a verdict.
  process.stderr.write(`Nothing could be compared: ${(error as Error).message}\n`);
  process.exitCode = 2;
} finally {
  for (const tree of trees) rmSync(tree, { recursive: true, force: true });
}
