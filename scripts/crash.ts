/**
 * Kills a broker under load again and again, and makes up the account: node scripts/crash.ts [ROUNDS]
 *
 * Fifty rounds are one history: then everything owed is drained and judged, and a new history begins.
 */
import { CrashHistory } from '../tests/crash/history.ts';

const ROUNDS_PER_HISTORY = 50;

const rounds = Number(process.argv[2] ?? 500);
if (!Number.isInteger(rounds) || rounds < 1) {
  process.stderr.write(`crash: '${process.argv[2]}' is no number of rounds. Usage: npm run crash -- 500\n`);
  process.exit(2);
}

async function history(of: number): Promise<number> {
  const account = new CrashHistory();
  try {
    await account.begin();
    for (let n = 0; n < of; n++) await account.round();
    const { published, acknowledged, delivered, faults } = await account.end();
    process.stdout.write(`${of} kills: ${published} published, ${acknowledged} acknowledged, ${delivered} delivered, `);
    process.stdout.write(
      faults.length === 0 ? 'nothing lost, doubled or out of order\n' : `FAULTS\n${faults.join('\n')}\n`,
    );
    return faults.length;
  } finally {
    account.discard();
  }
}

let faults = 0;
for (let left = rounds; left > 0; left -= ROUNDS_PER_HISTORY)
  faults += await history(Math.min(left, ROUNDS_PER_HISTORY));
process.stdout.write(`${rounds} kills, ${faults} faults\n`);
process.exitCode = faults === 0 ? 0 : 1;
