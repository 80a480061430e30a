/** The command `completion`: scripts for the shells, made from the pages of all commands. */
import { programName } from './command-page.ts';
import { bashScript } from './completion/bash.ts';
import { completionPage } from './completion/completion-page.ts';
import { fishScript } from './completion/fish.ts';
import { wordsOf, type CommandWords } from './completion/words.ts';
import { zshScript } from './completion/zsh.ts';
import type { Context } from './context.ts';
import { helpText } from './help-text.ts';
import { pages } from './pages.ts';

const shells: Record<string, (commands: readonly CommandWords[]) => string> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};

export function run(args: readonly string[], context: Context): Promise<number> {
  const [name, surplus] = args;
  if (name === '--help') {
    context.print(helpText(completionPage, programName(completionPage, context)));
    return Promise.resolve(0);
  }
  const script = shells[name ?? ''];
  if (script === undefined || surplus !== undefined) {
    const said = name === undefined ? 'No shell named' : `No script for '${args.join(' ')}'`;
    context.complain(`Error: ${said}.\n  There are ${Object.keys(shells).join(', ')}.\n`);
    return Promise.resolve(1);
  }
  context.print(script(pages.map(wordsOf)));
  return Promise.resolve(0);
}
