/** The command `backup`: a copy of everything that a broker keeps, taken while it runs or not. */
import { pageOf, type Call, type Subcommand } from './ca/subcommand.ts';
import type { CommandPage } from './command-page.ts';
import type { Context } from './context.ts';
import { configurationOption, runStoreCommand, storeExitCodes, storeOf } from './store/store-command.ts';

const command: Subcommand = {
  name: 'backup',
  operands: 'FILE',
  atLeast: 1,
  atMost: 1,
  options: [configurationOption],
  says: 'Save what is kept.',
  run: save,
};

export const backupPage: CommandPage = {
  command: 'backup',
  summary: 'saves everything that a broker keeps, while it runs',
  usage: ['FILE [--home DIR | -c FILE]'],
  about: [
    'FILE is the store as it was at one moment: a SQLite database for you alone (mode 0600), checked for soundness before it gets its name. A backup that is there already is replaced; anything else is not.',
    'Certificates, users and settings are plain files of the home, and not in it: save the folder too.',
  ],
  options: pageOf({ command: 'backup', summary: '', about: [] }, [command]).options,
  operands: [{ name: 'FILE', completes: 'file', says: 'The backup.' }],
  exitCodes: storeExitCodes,
};

export function run(args: readonly string[], context: Context): Promise<number> {
  return runStoreCommand(backupPage, command, args, context);
}

async function save(call: Call): Promise<number> {
  const { file: store } = await storeOf(call);
  const { backUp, counted } = await import('../storage/moving/mod.ts');
  const file = call.words[0]!;
  const bytes = await backUp(store, file);
  call.say(`Saved ${store} to ${file}: ${counted(bytes, 'byte')}, checked.`);
  return 0;
}
