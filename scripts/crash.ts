/**
 * What a crash costs, tried out: node scripts/crash.ts [--rounds N] [--mode kill|tail|full|read-only|slow]
 *
 *   kill   a broker under load is ended by SIGKILL again and again; nothing that was acknowledged may be lost, doubled
 *          at QoS 2 or out of order. Fifty rounds are one history: then everything owed is drained and judged.
 *   tail   the same, and after each kill the end of the newest file is cut off or changed, as a power cut does on a disk
 *          that lies about what it has written: the broker must start every time, and say what it lost.
 *   full   the same on a disk that is filled before each kill: nothing is acknowledged that is not safe. Needs root.
 *   read-only   the same, with a start on a disk that cannot be written before each round: refused in plain words. Needs root.
 *   slow   an fsync that takes 50 ms longer: what QoS 0 and QoS 1 feel of it.
 */
import { parseArgs } from 'node:util';
import { CrashHistory } from '../tests/crash/history.ts';
import { hasOwnMounts, OwnDisk, runInOwnMounts } from '../tests/crash/own-disk.ts';

const ROUNDS_PER_HISTORY = 50;

const usage = 'Usage: npm run crash -- [--rounds 500] [--mode kill|tail|full|read-only|slow]';

function words(): { rounds: number; mode: string } {
  const options = { rounds: { type: 'string' }, mode: { type: 'string', default: 'kill' } } as const;
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const rounds = Number(values.rounds ?? positionals[0] ?? 500);
  if (Number.isInteger(rounds) && rounds > 0 && ['kill', 'tail', 'full', 'read-only', 'slow'].includes(values.mode)) {
    return { rounds, mode: values.mode };
  }
  process.stderr.write(`crash: what was asked for is not there. ${usage}\n`);
  process.exit(2);
}

async function history(of: number, mode: string): Promise<number> {
  const hurt = mode === 'tail';
  const disk = mode === 'full' || mode === 'read-only' ? new OwnDisk() : null;
  const account = disk === null ? new CrashHistory() : new CrashHistory(disk);
  try {
    await account.begin();
    for (let n = 0; n < of; n++) {
      if (mode === 'read-only') await account.refusedRound(disk!);
      await account.round(mode === 'full' ? disk : null);
      if (hurt) account.damageTail();
    }
    const { published, acknowledged, delivered, faults } = await account.end();
    process.stdout.write(`${of} kills: ${published} published, ${acknowledged} acknowledged, ${delivered} delivered, `);
    if (hurt) process.stdout.write(`started ${of} times from a damaged file\n`);
    else if (faults.length === 0) process.stdout.write('nothing lost, doubled or out of order\n');
    else process.stdout.write(`FAULTS\n${faults.join('\n')}\n`);
    return hurt ? 0 : faults.length;
  } finally {
    account.discard();
  }
}

async function slow(): Promise<void> {
  const { latencies } = await import('../tests/crash/slow-disk.ts');
  for (const { disk, median, p99, acknowledged } of await latencies()) {
    const qos0 = `QoS 0 median ${median.toFixed(2)} ms, 99% within ${p99.toFixed(2)} ms`;
    process.stdout.write(`disk ${disk}: ${qos0}; 20 messages at QoS 1 safe in ${acknowledged.toFixed(1)} ms\n`);
  }
}

const { rounds, mode } = words();
const needsDisk = mode === 'full' || mode === 'read-only';
const code = needsDisk ? runInOwnMounts() : null;
if (code !== null) process.exitCode = code;
else if (needsDisk && !hasOwnMounts())
  process.stdout.write(`${mode}: skipped, a disk of its own needs root and unshare\n`);
else if (mode === 'slow') await slow();
else {
  let faults = 0;
  for (let left = rounds; left > 0; left -= ROUNDS_PER_HISTORY)
    faults += await history(Math.min(left, ROUNDS_PER_HISTORY), mode);
  process.stdout.write(`${rounds} kills, ${faults} faults\n`);
  process.exitCode = faults === 0 ? 0 : 1;
}
