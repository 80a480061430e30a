/**
 * A week in twenty minutes: npm run soak -- [--minutes 20] [--clients 5000] [--quiet] [--snapshots DIR]
 *
 * What happens is in tests/soak/events.ts, what is watched in tests/soak/watch.ts, what growth is in tests/soak/slope.ts.
 * As root it runs in a mount namespace of its own, so that a disk can be filled which is nobody else's.
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { runInOwnMounts } from '../tests/crash/own-disk.ts';
import { soak } from '../tests/soak/soak.ts';

const usage = 'Usage: npm run soak -- [--minutes 20] [--clients 5000] [--quiet] [--snapshots DIR]';

function words(): { minutes: number; clients: number; quiet: boolean; snapshots: string | null } {
  const options = {
    minutes: { type: 'string' },
    clients: { type: 'string' },
    quiet: { type: 'boolean' },
    snapshots: { type: 'string' },
  } as const;
  const { values } = parseArgs({ options });
  const [minutes, clients] = [Number(values.minutes ?? 20), Number(values.clients ?? 5_000)];
  if (minutes > 0 && minutes <= 24 * 60 && Number.isInteger(clients) && clients > 0) {
    return { minutes, clients, quiet: values.quiet ?? false, snapshots: values.snapshots ?? null };
  }
  process.stderr.write(`soak: what was asked for cannot be. ${usage}\n`);
  process.exit(2);
}

async function run(): Promise<number> {
  const { minutes, clients, quiet, snapshots } = words();
  const write = (line: string): void => void process.stdout.write(`${line}\n`);
  const kept = snapshots === null ? {} : { snapshots: resolve(snapshots) };
  const report = await soak({ minutes, clients, ...kept, say: quiet ? () => undefined : write });
  const { seconds, connections, published, received, acknowledged, happened, skipped, table, faults, remarks } = report;
  write(`\n${Math.round(seconds)} s, ${clients} clients, ${connections} connections`);
  write(`${published} messages of the crowd, ${received} received; ${acknowledged} numbered ones acknowledged`);
  write(`happened: ${Object.entries(happened).map(([name, times]) => `${name} ${times}`).join(', ')}`); // prettier-ignore
  for (const line of skipped) write(`did not happen: ${line}`);
  for (const line of table) write(line);
  if (faults.length > 0) for (const line of remarks) write(line);
  write(faults.length === 0 ? 'nothing lost, doubled, out of order or grown' : `FAULTS\n${faults.join('\n')}`);
  return faults.length === 0 ? 0 : 1;
}

process.exitCode = runInOwnMounts() ?? (await run());
