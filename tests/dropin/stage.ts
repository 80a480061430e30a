/** What the drop-in tests share: runs of the program to its end, log lines without their time, parallel table rows. */
import assert from 'node:assert/strict';
import { argon2Sync, createHash, pbkdf2Sync, randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before } from 'node:test';
import {
  run,
  RawClient,
  startBroker,
  temporaryDirectory,
  zancudo,
  type Broker,
  type BrokerOptions,
  type ConnectFields,
  type Dial,
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

/** Called in the body of a suite: one broker for all of its tests, which must then run one after the other. */
export function shared(options: BrokerOptions): () => Broker {
  let broker: Broker | null = null;
  before(async () => {
    broker = await startBroker(options);
  });
  after(() => broker?.stop());
  return () => broker!;
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

/** A line of a password file as mosquitto_passwd of 1.6 wrote it; cheap to check, so that tests are quick. */
export function passwordLine(user: string, password: string): string {
  const salt = randomBytes(12);
  const hash = createHash('sha512').update(password).update(salt).digest('base64');
  return `${user}:$6$${salt.toString('base64')}$${hash}\n`;
}

/** The same as mosquitto_passwd of 2.x writes it (PBKDF2). */
export function passwordLine7(user: string, password: string, iterations = 101, saltBytes = 12): string {
  const salt = randomBytes(saltBytes);
  const hash = pbkdf2Sync(password, salt, iterations, 64, 'sha512').toString('base64');
  return `${user}:$7$${iterations}$${salt.toString('base64')}$${hash}\n`;
}

/** A hash in the text form of the argon2 reference (PHC string). */
export function argon2Text(password: string): string {
  const nonce = randomBytes(16);
  const [memory, passes, parallelism] = [1024, 1, 1];
  const hash = argon2Sync('argon2id', { message: password, nonce, parallelism, tagLength: 32, memory, passes });
  const plain = (bytes: Buffer): string => bytes.toString('base64').replaceAll('=', '');
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${plain(nonce)}$${plain(hash)}`;
}

/** Connects and is let in. */
export async function clientOf(broker: Broker, fields: ConnectFields, dial: Dial = {}): Promise<RawClient> {
  const client = await RawClient.dial({ port: broker.port, ...dial });
  const { reasonCode } = await client.connect(fields);
  assert.equal(reasonCode, 0, `${String(fields.clientId)} was refused`);
  return client;
}

/** Tries to connect; the code of the CONNACK. */
export async function connectCode(broker: Broker, fields: ConnectFields, dial: Dial = {}): Promise<number> {
  const client = await RawClient.dial({ port: broker.port, ...dial });
  const { reasonCode } = await client.connect(fields);
  client.destroy();
  return reasonCode!;
}

/** Writes the configuration anew if it is given, sends SIGHUP and waits until the broker has begun; the first line of it. */
export async function reload(broker: Broker, conf?: string): Promise<number> {
  if (conf !== undefined) writeFileSync(join(broker.directory, 'mosquitto.conf'), conf);
  const from = broker.lines.length;
  broker.signal('SIGHUP');
  await broker.logged(/Reloading config\.$/, from);
  return from;
}

/** The reload that has begun is over: they go one after the other, so the next one begins when it has done everything. */
export async function afterReload(broker: Broker): Promise<void> {
  await reload(broker);
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
