/** What the drop-in tests share: runs of the program to its end, log lines without their time, parallel table rows. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  run,
  startBroker,
  temporaryDirectory,
  zancudo,
  type Broker,
  type BrokerOptions,
  type RunOptions,
} from '../harness/mod.ts';

/** The program has its own name and version where Mosquitto says `mosquitto version 2.1.2`. */
export const versionLine = (does: 'starting' | 'running' | 'terminating'): RegExp =>
  new RegExp(`^\\S+ version \\S+ ${does}$`);

/** A test, or the `after` of a suite: whatever runs something when it is over. */
export interface Owner {
  after(then: () => unknown): void;
}

/** A broker that ends with its test, however the test ends. */
export async function start(owner: Owner, options: BrokerOptions = {}): Promise<Broker> {
  const broker = await startBroker(options);
  owner.after(() => broker.stop());
  return broker;
}

/** Log lines without the time in front. */
export function texts(lines: readonly string[]): string[] {
  return lines.map(line => line.replace(/^\d+: /, ''));
}

export interface Ended {
  code: number | null;
  /** Of stdout and stderr, without times. */
  lines: string[];
  stdout: string;
  stderr: string;
}

/** Runs the program to its end. */
export async function runToEnd(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const { code, output, stdout, stderr } = await run(zancudo, args, options);
  return { code, lines: texts(output.trimEnd().split('\n')), stdout, stderr };
}

/** Two at a time keep both cores of a small machine busy. */
export const rowsAtOnce = { concurrency: 2 };

/** Each wanted line is there, each behind the one before it. */
export function assertInOrder(lines: readonly string[], ...wanted: readonly (string | RegExp)[]): void {
  let from = 0;
  for (const line of wanted) {
    const found = lines.findIndex(
      (each, i) => i >= from && (typeof line === 'string' ? each === line : line.test(each)),
    );
    assert.notEqual(found, -1, `missing: ${line}\nin:\n${lines.join('\n')}`);
    from = found + 1;
  }
}

/** A directory with files in it: `files` maps names to contents. */
export class Folder {
  readonly path: string;

  constructor(owner: Owner, files: Readonly<Record<string, string>> = {}) {
    const directory = temporaryDirectory();
    owner.after(() => directory.remove());
    this.path = directory.path;
    for (const [name, content] of Object.entries(files)) this.write(name, content);
  }

  at(name: string): string {
    return join(this.path, name);
  }

  write(name: string, content: string): string {
    const path = this.at(name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    return path;
  }
}
