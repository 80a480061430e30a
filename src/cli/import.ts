/** The command `import`: what another broker, or this one, has kept comes into a store. */
import type { Imported, ImportRequest } from '../storage/moving/mod.ts';
import { pageOf, UsageError, type Call, type Subcommand } from './ca/subcommand.ts';
import type { CommandPage } from './command-page.ts';
import type { Context } from './context.ts';
import {
  configurationOption,
  runStoreCommand,
  type NamedStore,
  storeExitCodes,
  storeOf,
} from './store/store-command.ts';

const command: Subcommand = {
  name: 'import',
  operands: 'FILE',
  atLeast: 1,
  atMost: 1,
  options: [
    { long: '--into', argument: 'HOME', completes: 'folder', says: 'Into the store of this home; the same as --home.' },
    configurationOption,
    { long: '--dry-run', says: 'Only list what would come.' },
    { long: '--replace', says: 'What FILE has takes the place of a session or retained message that is there already.' },
  ],
  says: "Take over what a broker has kept.",
  run: importOrList,
}; // prettier-ignore

export const importPage: CommandPage = {
  command: 'import',
  summary: 'takes over sessions, messages that wait and retained messages from a file',
  usage: ['FILE [--into HOME | -c FILE] [--dry-run] [--replace]'],
  about: [
    "FILE is Mosquitto's mosquitto.db (formats 3 to 6), the mosquitto.sqlite3 of its plugin, a backup, or what export --json has written; which of them is seen from its contents. It stays as it is.",
    'The broker must not be running. Everything comes or, when anything fails, nothing. What a damaged file still tells comes, and a line says what was lost.',
  ],
  options: pageOf({ command: 'import', summary: '', about: [] }, [command]).options,
  operands: [{ name: 'FILE', completes: 'file', says: 'What is to be imported.' }],
  exitCodes: storeExitCodes,
};

export function run(args: readonly string[], context: Context): Promise<number> {
  return runStoreCommand(importPage, command, args, context);
}

async function importOrList(call: Call): Promise<number> {
  if (call.has('--into') && call.has('--home')) throw new UsageError('--into and --home mean the same: take one.');
  const store = await storeOf(call, call.has('--into') ? '--into' : '--home');
  const { dryRun, importFile, remarkLines, tallyText } = await import('../storage/moving/mod.ts');
  const request = await requestOf(call, store);
  const isDry = call.has('--dry-run');
  const imported: Imported = isDry ? await dryRun(request, line => call.say(line)) : await importFile(request);
  const { what, tally, losses } = imported;
  call.say(`${isDry ? 'Would come' : 'Imported'} from ${request.file} (${what}): ${tallyText(tally)}.`);
  for (const line of [...losses, ...remarkLines(tally)]) call.warn(line);
  return 0;
}

async function requestOf(call: Call, { file: store, mountPoints }: NamedStore): Promise<ImportRequest> {
  const { propertiesToJson } = await import('../server/mod.ts');
  return {
    file: call.words[0]!,
    store,
    replace: call.has('--replace'),
    propertiesToJson,
    mountPoints,
    wall: call.context.wall(),
  };
}
