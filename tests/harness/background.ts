/** A program that runs beside the test, such as a subscriber: what it says is collected until it is stopped. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { spawnMortal, type RunOptions } from './machine.ts';
import { until } from './until.ts';

export class Background {
  stdout = '';
  stderr = '';
  hasEnded = false;
  exitCode: number | null = null;
  readonly process: ChildProcess;
  readonly #command: string;

  constructor(command: string, args: readonly string[], options: Omit<RunOptions, 'input' | 'withinMs'> = {}) {
    this.#command = command;
    this.process = (options.spawn ?? spawnMortal)(command, args, {
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      env: options.env ?? process.env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.process.stdout?.setEncoding('utf8').on('data', (chunk: string) => (this.stdout += chunk));
    this.process.stderr?.setEncoding('utf8').on('data', (chunk: string) => (this.stderr += chunk));
    this.process.once('error', error => this.#end(null, String(error)));
    this.process.once('close', code => this.#end(code, ''));
  }

  /** Waits until its standard output holds this text. */
  async says(wanted: string | RegExp): Promise<void> {
    const found = (): boolean => (typeof wanted === 'string' ? this.stdout.includes(wanted) : wanted.test(this.stdout));
    await until(`${wanted} from ${this.#command}`, () => found() || this.hasEnded).catch((error: Error) => {
      throw new Error(`${error.message}; it said:\n${this.stdout}${this.stderr}`);
    });
    if (!found())
      throw new Error(`ended with ${this.exitCode} without saying ${wanted}:\n${this.stdout}${this.stderr}`);
  }

  /** Waits until it ends by itself; its exit code. */
  async ended(): Promise<number | null> {
    await until(`${this.#command} to end`, () => this.hasEnded);
    return this.exitCode;
  }

  async stop(): Promise<void> {
    if (this.hasEnded) return;
    const closed = once(this.process, 'close');
    this.process.kill('SIGTERM');
    await closed;
  }

  #end(code: number | null, text: string): void {
    this.hasEnded = true;
    this.exitCode = code;
    this.stderr += text;
  }
}
