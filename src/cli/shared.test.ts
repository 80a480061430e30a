/** What the tests of the commands share. It tests nothing itself. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Context } from './context.ts';
import type { SecretInput } from './secret-prompt.ts';

export interface RecordedContext extends Context {
  printed: string;
  complained: string;
}

export function recordedContext(calledAs = 'zancudo'): RecordedContext {
  const context: RecordedContext = {
    calledAs,
    environment: {},
    printed: '',
    complained: '',
    print: text => void (context.printed += text),
    complain: text => void (context.complained += text),
    wall: () => 5000,
  };
  return context;
}

/** Gone when the test ends. */
export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'zancudo-cli-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Gives the chunks, then the end; writes down when the echo went off (-) and on (+). */
export function scriptedInput(chunks: readonly string[], isTerminal = false): SecretInput & { echo: string } {
  const rest = [...chunks];
  const input = {
    isTerminal,
    echo: '',
    setEcho: (on: boolean) => void (input.echo += on ? '+' : '-'),
    read: () => Promise.resolve(rest.length === 0 ? null : Buffer.from(rest.shift() as string)),
  };
  return input;
}
