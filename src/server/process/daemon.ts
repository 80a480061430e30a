/**
 * -d: Node cannot fork, so a second copy of the program becomes the daemon.
 *
 *   first process   checks the configuration ── starts the copy ── relays its lines ── exits 0, or with its exit code
 *   copy                                        own session, stdio on /dev/null ── ready ── goes on alone
 *
 * A pipe on descriptor 3 carries the copy's lines until it is ready; a NUL byte on it means ready.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, writeSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { exitCodes } from './exit-codes.ts';

const marker = 'ZANCUDO_DAEMON';
const channelFd = 3;

/** What the copy has. */
export interface DaemonChannel {
  /** Where its lines go until it is ready. */
  standardErrorFd: number;
  /** Whoever writes to standardErrorFd has to be told to stop first: the descriptor is closed. */
  ready(): void;
}

/** Null in every process but the copy. Asked once: the marker is not handed on to our own children. */
export function takeDaemonChannel(environment: NodeJS.ProcessEnv = process.env): DaemonChannel | null {
  if (environment[marker] === undefined) return null;
  delete environment[marker];
  return { standardErrorFd: channelFd, ready: sayReady };
}

function sayReady(): void {
  try {
    writeSync(channelFd, '\0');
  } catch {
    // Whoever started us did not wait.
  }
  closeSync(channelFd);
}

export interface DaemonStart {
  program: string;
  args: string[];
  /** Receives the copy's lines until it is ready. */
  onText: (text: string) => void;
}

/** Ends with the exit code for the first process. */
export function startDaemon(start: Partial<DaemonStart> = {}): Promise<number> {
  const { program, args, onText } = { ...thisProgram(), ...start };
  const child = spawn(program, args, {
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    env: { ...process.env, [marker]: '1' },
  });
  return waitUntilReady(child, onText);
}

function thisProgram(): DaemonStart {
  return {
    program: process.execPath,
    args: [...process.execArgv, ...process.argv.slice(1)],
    onText: text => void process.stderr.write(text),
  };
}

function waitUntilReady(child: ChildProcess, onText: (text: string) => void): Promise<number> {
  const channel = child.stdio[channelFd] as Readable;
  return new Promise(resolve => {
    channel.on('data', (chunk: Buffer) => {
      const end = chunk.indexOf(0);
      onText(chunk.toString('utf8', 0, end === -1 ? chunk.length : end));
      if (end === -1) return;
      channel.destroy();
      child.unref();
      resolve(exitCodes.ok);
    });
    child.once('error', error => {
      onText(`Error in daemonise: ${error.message}\n`);
      resolve(exitCodes.failure);
    });
    // `close` rather than `exit`: the last lines have been read by then.
    child.once('close', code => resolve(code ?? exitCodes.failure));
  });
}
