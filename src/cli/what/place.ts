/** Where the record lies that the options mean: --record DIR, that of -c FILE, or that of a home. */
import fs from 'node:fs';
import path from 'node:path';
import { type Call, UsageError } from '../ca/subcommand.ts';

export interface RecordPlace {
  /** Null for a broker that keeps its record in memory. */
  folder: string | null;
}

export async function recordPlace(call: Call): Promise<RecordPlace | { lines: readonly string[] }> {
  const [record, file] = [call.value('--record'), call.value('--config-file')];
  const given = [record, file, call.value('--home')].filter(each => each !== null);
  if (given.length > 1) throw new UsageError('--record, -c and --home name different brokers: take one.');
  if (record !== null) return { folder: path.resolve(record) };
  const home = file === null ? call.home.folder : null;
  const configuration = file ?? path.join(home!, 'zancudo.conf');
  // Most homes have no line about it, and need no reader of configurations.
  if (home !== null && !mentionsRecorder(configuration)) return { folder: path.join(home, 'record') };
  const { loadConfiguration, recordFolder } = await import('../../conf/mod.ts');
  const result = loadConfiguration(configuration, { ports: [], home });
  if (!result.ok) {
    const { lines, explanation } = result.failure;
    return { lines: [...lines, ...explanation.map(line => `  ${line}`)] };
  }
  if (!result.settings.flightRecorder) {
    return { lines: [`Error: ${configuration} has 'flight_recorder false': nothing is remembered.`] };
  }
  return { folder: recordFolder(result.settings, home) };
}

function mentionsRecorder(configuration: string): boolean {
  try {
    return /^\s*flight_recorder/m.test(fs.readFileSync(configuration, 'utf8'));
  } catch {
    return false;
  }
}
