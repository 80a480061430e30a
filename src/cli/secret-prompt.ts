/**
 * Asks for a password: without echo on a terminal, else the next line of standard input.
 *
 *   bytes of standard input ──> line ──> password      (echo off from the question to the answer)
 *
 * Passwords are bytes: what the terminal's encoding makes of them is what is hashed.
 */
import type { Context } from './context.ts';

export interface SecretInput {
  isTerminal: boolean;
  /** Without effect where there is no terminal. */
  setEcho(on: boolean): void;
  /** Null at the end. */
  read(): Promise<Buffer | null>;
}

export type SecretAnswer =
  { ok: true; password: Buffer } | { ok: false; because: 'empty' | 'different' | 'interrupted' };

export class SecretPrompt {
  private readonly input: SecretInput;
  private readonly context: Context;
  private rest: Buffer = Buffer.alloc(0);
  private ended = false;

  constructor(context: Context, input: SecretInput = standardInput()) {
    this.context = context;
    this.input = input;
  }

  /** Mosquitto's order: an empty answer ends the matter before the question is repeated. */
  async ask(question: string, again: string | null): Promise<SecretAnswer> {
    const first = await this.askOnce(question);
    if (first === null) return { ok: false, because: 'interrupted' };
    if (first.length === 0) return { ok: false, because: 'empty' };
    if (again === null) return { ok: true, password: first };
    const second = await this.askOnce(again);
    if (second === null) return { ok: false, because: 'interrupted' };
    return second.equals(first) ? { ok: true, password: first } : { ok: false, because: 'different' };
  }

  private async askOnce(question: string): Promise<Buffer | null> {
    // Echo off first: whoever answers as soon as he is asked must not be shown.
    this.input.setEcho(false);
    this.context.print(question);
    const answer = await (this.input.isTerminal ? this.typedLine() : this.pipedLine()).finally(() => {
      this.input.setEcho(true);
    });
    if (this.input.isTerminal || (answer !== null && answer.length > 0)) this.context.print('\n');
    return answer;
  }

  private async pipedLine(): Promise<Buffer> {
    for (;;) {
      const end = this.rest.indexOf(0x0a);
      if (end !== -1) {
        const line = this.rest.subarray(0, end);
        this.rest = this.rest.subarray(end + 1);
        return withoutReturns(line);
      }
      if (!(await this.readMore())) {
        const line = this.rest;
        this.rest = Buffer.alloc(0);
        return withoutReturns(line);
      }
    }
  }

  /** A raw terminal gives every key: Enter ends, Backspace and Ctrl-U rub out, Ctrl-C interrupts. */
  private async typedLine(): Promise<Buffer | null> {
    const typed: number[] = [];
    for (;;) {
      for (let at = 0; at < this.rest.length; at++) {
        const key = this.rest[at] as number;
        const outcome = press(key, typed);
        if (outcome === 'more') continue;
        this.rest = this.rest.subarray(at + 1);
        return outcome === 'done' ? Buffer.from(typed) : null;
      }
      this.rest = Buffer.alloc(0);
      if (!(await this.readMore())) return Buffer.from(typed);
    }
  }

  private async readMore(): Promise<boolean> {
    if (this.ended) return false;
    const chunk = await this.input.read();
    if (chunk === null) {
      this.ended = true;
      return false;
    }
    this.rest = Buffer.concat([this.rest, chunk]);
    return true;
  }
}

function press(key: number, typed: number[]): 'more' | 'done' | 'interrupted' {
  switch (key) {
    case 0x0a:
    case 0x0d:
    case 0x04: // Ctrl-D
      return 'done';
    case 0x03: // Ctrl-C
      return 'interrupted';
    case 0x15: // Ctrl-U
      typed.length = 0;
      return 'more';
    case 0x08:
    case 0x7f:
      eraseLast(typed);
      return 'more';
    default:
      typed.push(key);
      return 'more';
  }
}

/** One character of UTF-8: its continuation bytes (10xxxxxx) and what they continue. */
function eraseLast(typed: number[]): void {
  let removed = typed.pop();
  while (removed !== undefined && (removed & 0xc0) === 0x80) removed = typed.pop();
}

function withoutReturns(line: Buffer): Buffer {
  let end = line.length;
  while (end > 0 && line[end - 1] === 0x0d) end--;
  return line.subarray(0, end);
}

function standardInput(): SecretInput {
  const stream = process.stdin;
  return {
    isTerminal: stream.isTTY,
    setEcho: on => {
      if (stream.isTTY) stream.setRawMode(!on);
    },
    read: () => nextChunk(stream),
  };
}

function nextChunk(stream: NodeJS.ReadStream): Promise<Buffer | null> {
  return new Promise(resolve => {
    const settle = (chunk: Buffer | null) => {
      stream.off('data', onData).off('end', onEnd).off('error', onEnd);
      stream.pause();
      resolve(chunk);
    };
    const onData = (chunk: Buffer) => settle(chunk);
    const onEnd = () => settle(null);
    if (stream.readableEnded) return resolve(null);
    stream.on('data', onData).on('end', onEnd).on('error', onEnd);
    stream.resume();
  });
}
