/**
 * Syslog by way of the program `logger` (Debian: bsdutils, always installed), because Node has no Unix datagram
 * sockets. One child for the life of the broker reads our lines and sends each as a datagram to /dev/log:
 *
 *   <27>1795301780: Error: ...\n  ──stdin──►  logger --prio-prefix  ──►  /dev/log
 *
 * The number in front is facility * 8 + severity. When there is no logger or no /dev/log, that is said once, lines for
 * syslog are dropped, and the next line after a while tries again.
 */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import type { LogClass } from '../../broker/ports.ts';
import { logClassRow } from './classes.ts';
import { jsonLineBytesMax } from './json-line.ts';
import { lineBytesMax, makeVisible } from './log-line.ts';
import { droppedLinesText, sinkBounds, type Sink } from './sink.ts';

export interface SyslogOptions {
  ident: string;
  /** 0 to 7 for local0 to local7; null is the daemon facility. */
  facility: number | null;
  format: (text: string) => string;
  /** Told why syslog does not work, once until it has worked again. */
  onFailure: (why: string) => void;
  /** Another socket than /dev/log. */
  socketPath?: string;
}

const daemonFacility = 3;
const local0Facility = 16;
/** How long after a failure the next attempt may be. */
const restartMilliseconds = 10_000;
/** A logger that lived this long had a working socket. */
const healthyMilliseconds = 5000;

export class Syslog implements Sink {
  #options: SyslogOptions;
  #facility: number;
  #logger: ChildProcessWithoutNullStreams | null = null;
  #startedAt = -Infinity;
  #text = '';
  #dropped = 0;
  #toldWhy = false;

  constructor(options: SyslogOptions) {
    this.#options = options;
    this.#facility = options.facility === null ? daemonFacility : local0Facility + options.facility;
  }

  write(line: string, as: LogClass): void {
    const waiting = this.#text.length + (this.#logger?.stdin.writableLength ?? 0);
    if (waiting > sinkBounds.pendingBytesMax) this.#dropped++;
    else this.#text += `${this.#priority(as)}${line}\n`;
  }

  flush(): void {
    const logger = this.#logger ?? this.#start();
    const text = this.#text;
    this.#text = '';
    if (logger === null) {
      this.#dropped += text.split('\n').length - 1;
      return;
    }
    // Written to the kernel before write() returns unless the pipe is full, so nothing is lost at the end of the process.
    logger.stdin.write(text + this.#takeDroppedNote());
  }

  close(): void {
    if (this.#text !== '') this.flush();
    this.#logger?.stdin.end();
    this.#logger = null;
  }

  #priority(as: LogClass): string {
    return `<${this.#facility * 8 + logClassRow(as).syslogSeverity}>`;
  }

  #takeDroppedNote(): string {
    if (this.#dropped === 0) return '';
    const note = this.#options.format(droppedLinesText(this.#dropped, 'syslog'));
    this.#dropped = 0;
    return `${this.#priority('warning')}${note}\n`;
  }

  /** Null while the last failure is too fresh. */
  #start(): ChildProcessWithoutNullStreams | null {
    if (performance.now() - this.#startedAt < restartMilliseconds) return null;
    this.#startedAt = performance.now();
    const { ident, socketPath } = this.#options;
    const args = ['--tag', ident, `--id=${process.pid}`, '--prio-prefix', '--socket-errors=on'];
    args.push(
      '--size',
      String(jsonLineBytesMax + lineBytesMax),
      ...(socketPath === undefined ? [] : ['--socket', socketPath]),
    );
    // In a group of its own: Ctrl-C must not take it away before our last lines.
    const logger = spawn('logger', args, { detached: true, stdio: 'pipe' });
    this.#watch(logger);
    this.#logger = logger;
    return logger;
  }

  #watch(logger: ChildProcessWithoutNullStreams): void {
    let words = '';
    logger.unref();
    for (const stream of [logger.stdin, logger.stdout, logger.stderr]) {
      (stream as unknown as { unref(): void }).unref();
      stream.on('error', () => {});
    }
    logger.stderr.on('data', (chunk: Buffer) => (words = (words + chunk.toString()).slice(0, lineBytesMax)));
    logger.on('error', error => this.#failed(logger, `the program 'logger' cannot be started (${error.message})`));
    logger.on('close', code => this.#failed(logger, words.trim() || `the program 'logger' ended with code ${code}`));
  }

  #failed(logger: ChildProcessWithoutNullStreams, why: string): void {
    if (this.#logger !== logger) return;
    this.#logger = null;
    if (performance.now() - this.#startedAt > healthyMilliseconds) this.#toldWhy = false;
    if (!this.#toldWhy) this.#options.onFailure(makeVisible(why));
    this.#toldWhy = true;
  }
}
