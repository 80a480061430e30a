/** One command: words -> request -> reply -> lines and exit code. */
import { ClientError, reasonName, returnCodeName } from '../../client/mod.ts';
import type { Context } from '../context.ts';
import { build, type ControlCommand, type ControlModule, type Desk } from './control-command.ts';
import { ControlLink, type Sent, type Watcher } from './control-link.ts';
import { connectOptionsOf, usesTls } from './ctrl-connection.ts';
import type { Draft } from './ctrl-options.ts';
import { exitCodes } from './exit-codes.ts';
import { explainError, type Explained } from './explain-error.ts';
import { linesOf } from './reply.ts';

const timeoutMs = 10_000;

export interface Task {
  module: ControlModule;
  row: ControlCommand;
  words: readonly string[];
}

export async function runOnce(task: Task, draft: Draft, desk: Desk, context: Context): Promise<number> {
  const built = await build(task.row, task.words, desk);
  if (!built.ok) {
    context.complain(built.lines.map(line => `${line}\n`).join(''));
    return built.exitCode;
  }
  const complain = (text: string): void => {
    if (!draft.quiet) context.complain(text);
  };
  warn(draft, complain);
  if (draft.username !== null && draft.password === null) {
    const problem = await askLogin(draft, desk);
    if (problem !== null) {
      context.complain(problem);
      return exitCodes.usage;
    }
  }
  try {
    const link = await openLink(draft, context, timeoutMs);
    try {
      return tell(await link.send(task.module, task.row, built.command), task, context, complain);
    } finally {
      await link.close();
    }
  } catch (error) {
    const { exitCode, lines } = explain(error, draft);
    complain(lines.map(line => `${line}\n`).join(''));
    return exitCode;
  }
}

/** Null when there is a password now. */
async function askLogin(draft: Draft, desk: Desk): Promise<string | null> {
  const answer = await desk.ask(`Password for ${draft.username}: `, null);
  if (!answer.ok) return `${answer.because === 'empty' ? 'Error: Empty password.\n' : ''}Error getting password.\n`;
  draft.password = answer.password.toString();
  return null;
}

/** Everybody on the way can read along, except through a Unix socket; Mosquitto says it every time. */
function warn(draft: Draft, complain: (text: string) => void): void {
  if (draft.insecure && usesTls(draft)) {
    complain('Warning: --insecure: neither the name nor the CA of the broker is checked.\n');
  }
  if (usesTls(draft) || draft.unixSocket !== null) return;
  complain('Warning: You are running mosquitto_ctrl without encryption.\n');
  complain(
    'This means all of the configuration changes you are making are visible on the network, including passwords.\n\n',
  );
}

/** Rejects with a ClientError. */
export async function openLink(draft: Draft, context: Context, replyTimeoutMs: number): Promise<ControlLink> {
  const trace = (line: string): void => context.complain(`${line}\n`);
  const watch: Watcher = (direction, payload) => context.complain(`${direction}: ${payload}\n`);
  return ControlLink.open({
    connect: await connectOptionsOf(draft, trace),
    qos: draft.qos,
    timeoutMs: replyTimeoutMs,
    ...(draft.verbose ? { watch } : {}),
  });
}

/** What is no ClientError is a fault of this program and goes on up. */
export function explain(error: unknown, draft: Draft): Explained {
  if (!(error instanceof ClientError)) throw error;
  return explainError(error, draft.version === 5 ? reasonName : returnCodeName);
}

/** Replies to standard output, everything else to standard error. An answer of any kind ends with 0. */
function tell(sent: Sent, { module, row }: Task, context: Context, complain: (text: string) => void): number {
  const lines = sent.kind === 'done' ? linesOf(sent, row, false) : problemLines(sent, module);
  if (typeof lines === 'string') complain(`${lines}\n`);
  else if (sent.kind === 'done') context.print(lines.map(line => `${line}\n`).join(''));
  else complain(lines.map(line => `${line}\n`).join(''));
  return exitCodes.ok;
}

export function problemLines(sent: Exclude<Sent, { kind: 'done' }>, module: ControlModule): string[] {
  switch (sent.kind) {
    case 'refused':
      return [`${sent.command}: Error: ${sent.error}.`];
    case 'wrong': {
      const explanation =
        sent.explanation === null ? [] : [`  The broker says: ${sent.explanation}. ${module.whenSilent}`];
      return [sent.line, ...explanation];
    }
    case 'silent':
      return [`Error: No reply within ${sent.seconds} seconds.`, `  ${module.whenSilent}`];
    case 'subscribe refused':
      return [`Subscribe error: ${sent.reason}`, `  ${module.whenSilent}`];
    case 'publish refused':
      return [`Publish error: ${sent.reason}`, `  ${module.whenSilent}`];
    case 'not ours':
      return [];
  }
}
