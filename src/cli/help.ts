/** The command `help`: what a code means, what a line of the log is about, and the help of any command. */
import type { CommandPage } from './command-page.ts';
import type { Context } from './context.ts';
import { helpText, wrap } from './help-text.ts';

export const helpPage: CommandPage = {
  command: 'help',
  summary: 'what an error code or a line of the log means, and what to do',
  usage: ['CODE...', "'LINE OF THE LOG'", 'COMMAND', '--codes'],
  about: [
    'Errors of the broker end in a code in brackets, such as [tls.psk-unknown-identity]; with log_format json every line has one. The whole line in quotes will do, and where there is no code the likely ones are shown.',
  ],
  options: [
    { long: '--codes', says: 'List every code with what it means.' },
    { long: '--help', says: 'This text.' },
  ],
  exitCodes: [
    { code: '0', when: 'It was explained.' },
    { code: '1', when: 'Nothing is known by that name.' },
  ],
};

export async function run(args: readonly string[], context: Context): Promise<number> {
  const [first] = args;
  if (first === '--help') return tell(context, helpText(helpPage, 'zancudo'));
  if (first === undefined || (args.length === 1 && (await isCommand(first)))) return helpOf(first, context);
  if (first === '--codes') return list(context);
  const { codesFor } = await import('./codes/search.ts');
  const codes = codesFor(args.join(' '));
  if (codes.length === 0) {
    context.complain(`zancudo: nothing is known about '${args.join(' ')}'. 'zancudo help --codes' lists every code.\n`);
    return 1;
  }
  const { codePages } = await import('./codes/mod.ts');
  return tell(context, codes.map(code => codeText(code, ...codePages[code])).join('\n'));
}

async function isCommand(word: string): Promise<boolean> {
  const { pages } = await import('./pages.ts');
  return pages.some(page => page.command === word || page.tool === word);
}

/** Its own `--help`; that of everything when none is named. */
async function helpOf(name: string | undefined, context: Context): Promise<number> {
  const { run: runCommand } = await import('./run.ts');
  return runCommand(name === undefined ? ['--help'] : [name, '--help'], context);
}

async function list(context: Context): Promise<number> {
  const { codePages } = await import('./codes/mod.ts');
  const rows = Object.entries(codePages).sort(([one], [other]) => (one < other ? -1 : 1));
  return tell(context, rows.map(([code, [means]]) => `${code.padEnd(40)} ${means}\n`).join(''));
}

function codeText(code: string, means: string, remedy: string): string {
  return [code, ...indented(means), ...(remedy === '' ? [] : ['', ...indented(remedy)])].join('\n') + '\n';
}

function indented(text: string): string[] {
  return wrap(text.replaceAll('`', "'"), 96).map(line => `  ${line}`);
}

function tell(context: Context, text: string): number {
  context.print(text);
  return 0;
}
