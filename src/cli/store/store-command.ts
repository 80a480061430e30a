/**
 * What import, export, backup and restore have in common: whose store is meant, and how a failure is told. Store and
 * configuration are loaded when a command runs, and not to show its page.
 */
import fs from 'node:fs';
import path from 'node:path';
import { type Call, runSubcommand, type Subcommand, type SubcommandOption, UsageError } from '../ca/subcommand.ts';
import type { CommandPage } from '../command-page.ts';
import type { Context } from '../context.ts';
import { systemWords } from '../system-words.ts';

export const configurationOption: SubcommandOption = {
  short: '-c',
  long: '--config-file',
  argument: 'FILE',
  completes: 'file',
  says: 'The broker that runs with this mosquitto.conf, instead of the one of the home.',
};

export const storeExitCodes = [
  { code: '0', when: 'Done.' },
  { code: '1', when: 'It could not be done; why and what to do was said.' },
  { code: '2', when: 'The command line cannot be understood.' },
];

export function runStoreCommand(
  page: CommandPage,
  command: Subcommand,
  args: readonly string[],
  context: Context,
): Promise<number> {
  const told: Subcommand = { ...command, run: call => tellFailure(call, () => command.run(call)) };
  const long = args.map(word => (word === '-c' ? '--config-file' : word));
  return runSubcommand(page, [told], [page.command, ...long], context);
}

async function tellFailure(call: Call, run: () => Promise<number> | number): Promise<number> {
  try {
    return await run();
  } catch (error) {
    const { MovingError, StoreError } = await import('../../storage/moving/mod.ts');
    if (error instanceof MovingError || error instanceof StoreError) call.warn(...error.lines);
    else call.warn(faultOfTheSystem(error));
    return 1;
  }
}

/** A file that is not there, a full disk; anything else is a fault of ours and not hidden. */
function faultOfTheSystem(error: unknown): string {
  const { code, path: file, message } = error as NodeJS.ErrnoException;
  if (code === undefined) throw error;
  return `Error: ${file === undefined ? message : `${file}: ${systemWords(error)}`}.`;
}

export interface NamedStore {
  file: string;
  /** Of the broker whose store it is. */
  mountPoints: ReadonlyMap<number, string>;
}

/** The store that the options name: of -c FILE, or of a home. */
export async function storeOf(call: Call, homeOption = '--home'): Promise<NamedStore> {
  const { loadConfiguration, mountPoints, storeFile } = await import('../../conf/mod.ts');
  const { MovingError } = await import('../../storage/moving/mod.ts');
  const file = call.value('--config-file');
  const home = call.value(homeOption);
  if (file !== null && home !== null) throw new UsageError(`-c and ${homeOption} name different brokers: take one.`);
  const folder = file === null ? (home ?? call.home.folder) : null;
  const configuration = file ?? path.join(folder!, 'zancudo.conf');
  if (folder !== null && !fs.existsSync(configuration)) throw new MovingError('store.no-home', noHome(folder));
  const result = loadConfiguration(configuration, { ports: [], home: folder });
  if (!result.ok) {
    const { lines, explanation } = result.failure;
    throw new MovingError('store.configuration', [...lines, ...explanation.map(line => `  ${line}`)]);
  }
  const store = storeFile(result.settings);
  if (store !== null) return { file: store, mountPoints: mountPoints(result.settings) };
  throw new MovingError('store.nothing-kept', [
    `Error: ${configuration} keeps nothing over a restart, so there is no store.`,
    "  Write 'persistence true' and 'persistence_location DIRECTORY' in it.",
  ]);
}

function noHome(home: string): string[] {
  return [
    `Error: ${home} is no home of a broker: there is no zancudo.conf in it.`,
    '  The first start of zancudo makes one. A broker without a home is named by its file: -c mosquitto.conf',
  ];
}
