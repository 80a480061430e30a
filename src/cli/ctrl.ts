/** The command `ctrl`, which takes the place of mosquitto_ctrl. */
import { programName, type CommandPage } from './command-page.ts';
import type { Context } from './context.ts';
import { commandNamed, type ControlModule, type Desk } from './ctrl/control-command.ts';
import { optionsFileLines, profileProblem } from './ctrl/ctrl-connection.ts';
import { parseCtrlArguments, type CtrlDraft } from './ctrl/ctrl-options.ts';
import { chaptersOf, controlModules, ctrlPage } from './ctrl/ctrl-page.ts';
import { initDynsec } from './ctrl/dynsec-init.ts';
import { setPasswordOffline } from './ctrl/dynsec-offline.ts';
import { exitCodes } from './ctrl/exit-codes.ts';
import { chapterText, helpText } from './help-text.ts';
import { nearestName } from './nearest-name.ts';
import { SecretPrompt } from './secret-prompt.ts';

export async function run(args: readonly string[], context: Context): Promise<number> {
  const parsed = parseCtrlArguments(args, named => optionsFileLines(named, 'mosquitto_ctrl', context));
  if (parsed.kind === 'error') return refuse(parsed.line, parsed.hint, context);
  if (parsed.kind !== 'run') return showUsage(context);
  const [moduleName, commandName, ...words] = parsed.words;
  if (moduleName === undefined) return startShell(parsed.draft, context);
  if (commandName === undefined) return showUsage(context);
  const module = controlModules.find(each => each.name === moduleName.toLowerCase());
  if (module === undefined) return unknownModule(moduleName, context);
  return runCommand(module, commandName, words, parsed.draft, context);
}

async function runCommand(
  module: ControlModule,
  name: string,
  words: readonly string[],
  draft: CtrlDraft,
  context: Context,
): Promise<number> {
  const prompt = new SecretPrompt(context);
  const desk: Desk = {
    ask: (question, again) => prompt.ask(question, again),
    print: text => context.print(text),
  };
  const isDynsec = module.name === 'dynsec';
  const lower = name.toLowerCase();
  if (lower === 'help') return showModule(module, context);
  if (isDynsec && lower === 'init') return initDynsec(words, programName(ctrlPage, context), desk, context);
  if (draft.dataFile !== undefined) return offline(draft.dataFile, isDynsec ? lower : '', words, context);
  const row = commandNamed(module, name);
  if (row === undefined) return unknownCommand(module, name, context);
  const fault = profileProblem(draft, context);
  if (fault !== null) return complainOfProfile(fault, context);
  // Loaded only here: help and mistakes need no client.
  const { runOnce } = await import('./ctrl/run-once.ts');
  return runOnce({ module, row, words }, draft, desk, context);
}

function offline(file: string, command: string, words: readonly string[], context: Context): Promise<number> | number {
  if (command === 'setclientpassword') return setPasswordOffline(file, words, context);
  context.complain(
    'Error: Invalid input.\n  -f works with dynsec setClientPassword alone; other commands need a broker.\n',
  );
  return exitCodes.invalid;
}

async function startShell(draft: CtrlDraft, context: Context): Promise<number> {
  if (draft.dataFile !== undefined) return offline(draft.dataFile, '', [], context);
  const { runShell } = await import('./ctrl/shell-terminal.ts');
  return runShell(draft, context);
}

function showUsage(context: Context): number {
  context.print(helpText(ctrlPage, programName(ctrlPage, context)));
  return exitCodes.usage;
}

function showModule(module: ControlModule, context: Context): number {
  const page: CommandPage = { ...ctrlPage, chapters: chaptersOf(module) };
  context.print(chapterText(page));
  return exitCodes.ok;
}

function complainOfProfile(lines: readonly string[], context: Context): number {
  context.complain(lines.map(line => `${line}\n`).join(''));
  return exitCodes.usage;
}

function refuse(line: string, hint: string | null, context: Context): number {
  context.complain(`${line}\n${hint === null ? '' : `  ${hint}\n`}`);
  context.complain(`\nUse '${programName(ctrlPage, context)} --help' to see usage.\n`);
  return exitCodes.usage;
}

function unknownModule(name: string, context: Context): number {
  const names = controlModules.map(each => each.name);
  context.complain(`Error: Module '${name}' not supported.\n`);
  context.complain(`  There are ${names.join(' and ')}; modules of Mosquitto in shared libraries cannot be loaded.\n`);
  return exitCodes.unknownModule;
}

function unknownCommand(module: ControlModule, name: string, context: Context): number {
  const meant = nearestName(
    name,
    module.commands.map(row => row.name),
  );
  context.complain(`Command '${name}' not recognised.\n`);
  const hint = meant === null ? `'${module.name} help' lists what there is.` : `Did you mean '${meant}'?`;
  context.complain(`  ${hint}\n`);
  return exitCodes.unknownCommand;
}
