/** The command `restore`: a backup takes the place of the store. */
import { pageOf, type Call, type Subcommand } from './ca/subcommand.ts';
import type { CommandPage } from './command-page.ts';
import type { Context } from './context.ts';
import { configurationOption, runStoreCommand, storeExitCodes, storeOf } from './store/store-command.ts';

const command: Subcommand = {
  name: 'restore',
  operands: 'FILE',
  atLeast: 1,
  atMost: 1,
  options: [configurationOption],
  says: 'Put a backup back.',
  run: putBack,
};

export const restorePage: CommandPage = {
  command: 'restore',
  summary: 'puts a backup in the place of what a broker keeps',
  usage: ['FILE [--home DIR | -c FILE]'],
  about: [
    'The broker must not be running. The backup is checked first; the present store is set aside beside its place, under a dated name.',
  ],
  options: pageOf({ command: 'restore', summary: '', about: [] }, [command]).options,
  operands: [{ name: 'FILE', completes: 'file', says: 'What backup has made.' }],
  exitCodes: storeExitCodes,
};

export function run(args: readonly string[], context: Context): Promise<number> {
  return runStoreCommand(restorePage, command, args, context);
}

async function putBack(call: Call): Promise<number> {
  const { file: store } = await storeOf(call);
  const { restore } = await import('../storage/moving/mod.ts');
  const file = call.words[0]!;
  const aside = await restore(file, store, new Date(call.context.wall()));
  call.say(`Restored ${store} from ${file}.`);
  if (aside !== null) call.say(`What was there is now ${aside}.`);
  return 0;
}
