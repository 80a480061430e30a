/** The command `passwd`, which takes the place of mosquitto_passwd. */
import { programName } from './command-page.ts';
import type { Context } from './context.ts';
import { helpText } from './help-text.ts';
import { parsePasswdArguments } from './passwd/arguments.ts';
import { carryOut } from './passwd/carry-out.ts';
import { passwdPage } from './passwd/passwd-page.ts';
import { SecretPrompt } from './secret-prompt.ts';

export async function run(args: readonly string[], context: Context): Promise<number> {
  const outcome = parsePasswdArguments(args);
  if (outcome.kind === 'usage') {
    context.print(helpText(passwdPage, programName(passwdPage, context)));
    return 1;
  }
  if (outcome.kind === 'error') {
    context.complain(`${outcome.line}\n`);
    if (outcome.hint !== null) context.complain(`  ${outcome.hint}\n`);
    return 1;
  }
  if (outcome.warning !== null) context.complain(`${outcome.warning}\n`);
  return carryOut(outcome.command, { context, prompt: new SecretPrompt(context), progress: process.stderr.isTTY });
}
