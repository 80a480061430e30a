/** The command `export`: what a store keeps, as lines of JSON. */
import { pageOf, type Call, type Subcommand } from './ca/subcommand.ts';
import type { CommandPage } from './command-page.ts';
import type { Context } from './context.ts';
import { StandardOutput } from './store/standard-output.ts';
import { configurationOption, runStoreCommand, storeExitCodes, storeOf } from './store/store-command.ts';

const command: Subcommand = {
  name: 'export',
  operands: '[FILE]',
  atLeast: 0,
  atMost: 1,
  options: [{ long: '--json', says: 'One JSON object a line; there is no other form yet.' }, configurationOption],
  says: 'Write everything that is kept.',
  run: write,
};

export const exportPage: CommandPage = {
  command: 'export',
  summary: 'writes everything that a broker keeps as lines of JSON',
  usage: ['--json [FILE] [--home DIR | -c FILE]'],
  about: [
    'Sessions, subscriptions, messages that wait, retained messages and wills, to FILE (for you alone, mode 0600) or to standard output. docs/reference/export.md says what each line means; import reads it back.',
    'The broker may be running: what is written is its state of one moment.',
  ],
  options: pageOf({ command: 'export', summary: '', about: [] }, [command]).options,
  operands: [{ name: 'FILE', completes: 'file', says: 'Where to; standard output without it.' }],
  exitCodes: storeExitCodes,
};

export function run(args: readonly string[], context: Context): Promise<number> {
  // With no argument at all a page would be shown; here that means: this home, to standard output.
  return runStoreCommand(exportPage, command, args, context);
}

async function write(call: Call): Promise<number> {
  const { file: store } = await storeOf(call);
  const { exportStore, exportToFile } = await import('../storage/moving/mod.ts');
  const [file] = call.words;
  const wall = call.context.wall();
  if (file === undefined) {
    const output = new StandardOutput();
    const { remarks } = await exportStore(store, wall, text => output.write(text));
    call.warn(...remarks);
    return 0;
  }
  const { lines, remarks } = await exportToFile(store, wall, file);
  call.warn(...remarks);
  call.say(`Exported ${store} to ${file}: ${lines} lines.`);
  return 0;
}
