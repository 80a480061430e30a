/** A generator as a process of its own: what it prints once it has ended. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** Never fails for an exit code: a generator says in its outcome what went wrong. */
export async function outputOf(
  program: string,
  args: readonly string[],
): Promise<{ said: string; complained: string }> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let [said, complained] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complained += text));
  await once(child, 'close');
  return { said, complained: complained.trim() };
}
