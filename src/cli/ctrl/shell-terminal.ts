/** The shell at a terminal: line editing, history, Tab. Where there is no terminal, lines of standard input. */
import { createInterface, type Interface } from 'node:readline';
import { Writable } from 'node:stream';
import type { Context } from '../context.ts';
import { programName } from '../command-page.ts';
import type { SecretAnswer } from '../secret-prompt.ts';
import { productVersion } from '../../server/process/mod.ts';
import { saysWhere } from './ctrl-connection.ts';
import type { CtrlDraft } from './ctrl-options.ts';
import { ctrlPage } from './ctrl-page.ts';
import { exitCodes } from './exit-codes.ts';
import { Shell, type ShellDesk } from './shell.ts';

/** Lines that may hold a password are not kept. */
const secretLine = /^\s*(createClient|setClientPassword|connect\s+\S+:\S+@)/i;
const historyLines = 500;

export async function runShell(draft: CtrlDraft, context: Context): Promise<number> {
  const terminal = new Terminal(context, line => shell.complete(line));
  const shell: Shell = new Shell(draft, terminal, context);
  if (process.stdin.isTTY) context.print(`${programName(ctrlPage, context)} shell v${productVersion()}\n`);
  if (saysWhere(draft)) await shell.handle('connect');
  while (!shell.hasEnded) {
    const line = await terminal.askLine(shell.prompt);
    if (line === null) break;
    await shell.handle(line);
  }
  await shell.disconnect();
  terminal.close();
  return exitCodes.ok;
}

class Terminal implements ShellDesk {
  private readonly context: Context;
  private readonly readline: Interface;
  private readonly lines: AsyncIterator<string, undefined>;
  /** While a password is typed. */
  private isMuted = false;

  constructor(context: Context, complete: (line: string) => [string[], string]) {
    this.context = context;
    const output = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        if (!this.isMuted) process.stdout.write(chunk);
        done();
      },
    });
    this.readline = createInterface({
      input: process.stdin,
      output,
      terminal: process.stdin.isTTY,
      completer: complete,
      historySize: historyLines,
      removeHistoryDuplicates: true,
    });
    this.readline.on('history', history => {
      if (this.isMuted || secretLine.test(history[0] ?? '')) history.shift();
    });
    this.lines = this.readline[Symbol.asyncIterator]();
  }

  print(text: string): void {
    this.context.print(text);
  }

  async askLine(question: string): Promise<string | null> {
    // In a script questions would only stand between the answers.
    if (process.stdin.isTTY) {
      this.readline.setPrompt(question);
      this.readline.prompt();
    }
    const next = await this.lines.next();
    if (next.done !== true) return next.value;
    if (process.stdin.isTTY) this.context.print('\n');
    return null;
  }

  async ask(question: string, again: string | null): Promise<SecretAnswer> {
    const first = await this.askSecret(question);
    if (first === null) return { ok: false, because: 'interrupted' };
    if (first === '') return { ok: false, because: 'empty' };
    const second = again === null ? first : await this.askSecret(again);
    if (second === null) return { ok: false, because: 'interrupted' };
    return second === first ? { ok: true, password: Buffer.from(first) } : { ok: false, because: 'different' };
  }

  close(): void {
    this.readline.close();
  }

  private async askSecret(question: string): Promise<string | null> {
    if (process.stdin.isTTY) this.context.print(question);
    this.isMuted = true;
    this.readline.setPrompt('');
    const next = await this.lines.next();
    this.isMuted = false;
    if (process.stdin.isTTY) this.context.print('\n');
    return next.done === true ? null : next.value;
  }
}
