/** The one-time token: from a file, from the environment, or asked for; never from where other users can see it. */
import { readFileSync } from 'node:fs';
import { type Call, UsageError } from '../ca/subcommand.ts';
import { SecretPrompt } from '../secret-prompt.ts';

const VARIABLE = 'ZANCUDO_TOKEN';

export async function tokenFor(call: Call, name: string): Promise<string> {
  const file = call.value('--token-file');
  const text =
    file === null || file === '-' ? await fromElsewhere(call, name, file === '-') : readFileSync(file, 'utf8');
  const token = text.trim();
  if (token !== '') return token;
  throw new UsageError(`there is no token. Make one on the broker: zancudo device invite ${name}`);
}

async function fromElsewhere(call: Call, name: string, fromInput: boolean): Promise<string> {
  const kept = call.context.environment[VARIABLE];
  if (!fromInput && kept !== undefined && kept !== '') return kept;
  const answer = await new SecretPrompt(call.context).ask(`Token for ${name}: `, null);
  return answer.ok ? answer.password.toString() : '';
}
