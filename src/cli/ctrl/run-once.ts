/** One command: words -> request -> reply -> lines and exit code. */
import { ClientError, reasonName, returnCodeName, type ConnectOptions } from '../../client/mod.ts';
import type { Context } from '../context.ts';
import { build, type ControlCommand, type ControlModule, type Desk } from './control-command.ts';
import { ControlLink, type Sent, type Watcher } from './control-link.ts';
import { SettingFault } from '../client/settings.ts';
import { ctrlConnectOptions } from './ctrl-connection.ts';
import type { CtrlDraft } from './ctrl-options.ts';
import { exitCodes } from './exit-codes.ts';
import { explainError, type Explained } from './explain-error.ts';
import { linesOf } from './reply.ts';

const timeoutMs = 10_000;

export interface Task {
  module: ControlModule;
  row: ControlCommand;
  words: readonly string[];
}

export async function runOnce(task: Task, draft: CtrlDraft, desk: Desk, context: Context): Promise<number> {
  const built = await build(task.row, task.words, desk);
  if (!built.ok) {
    context.complain(built.lines.map(line => `${line}\n`).join(''));
    return built.exitCode;
  }
  const complain = (text: string): void => {
    if (!draft.quiet) context.complain(text);
  };
  try {
    const options = await ctrlConnectOptions(draft, context);
    warn(options, draft, complain);
    const login = draft.username === undefined || draft.password !== undefined ? {} : await askLogin(draft, desk);
    if (typeof login === 'string') {
      context.complain(login);
      return exitCodes.usage;
    }
    const link = await openLink({ ...options, ...login }, draft, context, timeoutMs);
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

/** A string is why there is no password. */
async function askLogin(draft: CtrlDraft, desk: Desk): Promise<{ password: Buffer } | string> {
  const answer = await desk.ask(`Password for ${draft.username}: `, null);
  if (answer.ok) return { password: answer.password };
  return `${answer.because === 'empty' ? 'Error: Empty password.\n' : ''}Error getting password.\n`;
}

/** Everybody on the way can read along, except through a Unix socket; Mosquitto says it every time. */
function warn({ tls, unixSocket }: ConnectOptions, draft: CtrlDraft, complain: (text: string) => void): void {
  if (draft.insecure && tls !== undefined) {
    complain('Warning: --insecure: neither the name nor the CA of the broker is checked.\n');
  }
  if (tls !== undefined || unixSocket !== undefined) return;
  complain('Warning: You are running mosquitto_ctrl without encryption.\n');
  complain(
    'This means all of the configuration changes you are making are visible on the network, including passwords.\n\n',
  );
}

/** Rejects with a ClientError. */
export function openLink(
  options: ConnectOptions,
  draft: CtrlDraft,
  context: Context,
  replyTimeoutMs: number,
): Promise<ControlLink> {
  const watch: Watcher = (direction, payload) => context.complain(`${direction}: ${payload}\n`);
  const watching = draft.verbose ? { watch } : {};
  return ControlLink.open({ connect: options, qos: draft.qos, timeoutMs: replyTimeoutMs, ...watching });
}

/** What is no fault of settings or connections is one of this program and goes on up. */
export function explain(error: unknown, draft: CtrlDraft): Explained {
  if (error instanceof SettingFault) return { exitCode: exitCodes.usage, lines: [error.message, `  ${error.why}`] };
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
