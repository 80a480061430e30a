/**
 * A stranger's first minute: start the broker with nothing, paste the lines that it prints, see the message.
 * In a network namespace, so that the ports it takes by itself, 8883 and 8884, are free.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { type Dirent, readdirSync, readFileSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { Background, Namespace, needs, startBroker, temporaryDirectory, until, type Broker } from './harness/mod.ts';

const pahoFlow = fileURLToPath(new URL('interop/paho-flow.py', import.meta.url));
const address = '192.168.77.5';
const localName = `${hostname().split('.')[0]!.toLowerCase()}.local`;

class Stranger {
  readonly namespace = new Namespace({ addresses: [`${address}/32`], hosts: { [localName]: address } });
  readonly #directory = temporaryDirectory();
  readonly home = join(this.#directory.path, 'home');
  /** Where the lines are pasted. */
  readonly desk = this.#directory.path;
  broker: Broker | null = null;

  async start(): Promise<Broker> {
    await this.broker?.stop();
    this.broker = null;
    return (this.broker = await startBroker({ conf: null, home: this.home, spawn: this.namespace.spawn }));
  }

  /** The printed lines that call this program, as they are pasted. */
  printed(program: string): string[] {
    return this.broker!.lines.map(line => line.trim()).filter(line => line.startsWith(program));
  }

  paste(line: string): Promise<{ code: number | null; output: string }> {
    return this.namespace.run('/bin/sh', ['-c', line], { cwd: this.desk });
  }

  /** Pastes both lines, the second again until the first shows what it sent. */
  async exchange(subscribe: string, publish: string): Promise<void> {
    const subscriber = new Background('/bin/sh', ['-c', `exec ${subscribe}`], {
      cwd: this.desk,
      spawn: this.namespace.spawn,
    });
    try {
      await until('the message', async () => {
        const published = await this.paste(publish);
        assert.equal(published.code, 0, published.output + this.broker!.log);
        assert.ok(!subscriber.hasEnded, subscriber.stderr + this.broker!.log);
        return /hello\/world Hello/i.test(subscriber.stdout);
      });
    } finally {
      await subscriber.stop();
    }
  }

  async end(): Promise<void> {
    await this.broker?.stop();
    this.namespace.remove();
    this.#directory.remove();
  }
}

/** Every file below a folder with the hash of its content and its mode, but for the store's, which is in use. */
function contentsOf(path: string, entry: Dirent): string {
  if (!entry.isFile()) return 'folder';
  // The flight recorder's: each start is an event.
  if (entry.name.endsWith('.jsonl')) return 'record';
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

function fingerprints(folder: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (entry.name.startsWith('mosquitto.sqlite3')) continue;
    const path = join(entry.parentPath, entry.name);
    const mode = (statSync(path).mode & 0o777).toString(8);
    found[path.slice(folder.length)] = `${mode} ${contentsOf(path, entry)}`;
  }
  return found;
}

const needed = needs('root', 'ip', 'mosquitto_sub', 'mosquitto_pub');

test('a stranger starts the broker with nothing and has a message over TLS', needed, async t => {
  const stranger = new Stranger();
  t.after(() => stranger.end());
  await stranger.start();
  const [subscribe = '', subscribeElsewhere = ''] = stranger.printed('mosquitto_sub');
  const [publish = ''] = stranger.printed('mosquitto_pub');
  const { user = '', password = '' } = /-u (?<user>\S+) -P (?<password>\S+)/.exec(publish)?.groups ?? {};
  let first: Record<string, string> = {};

  await t.test('the lines that it prints work as they are, without --insecure', async () => {
    assert.doesNotMatch(subscribe + publish, /--insecure/);
    await stranger.exchange(subscribe, publish);
  });

  await t.test('so do those for another machine, once the CA has been fetched', async () => {
    const [fetch = ''] = stranger.printed('scp');
    const copied = await stranger.paste(fetch.replace(/^scp [^:\s]+:/, 'cp '));
    assert.equal(copied.code, 0, `${fetch}: ${copied.output}`);
    assert.ok(subscribeElsewhere.includes(localName), subscribeElsewhere);
    await stranger.exchange(subscribeElsewhere, publish);
  });

  await t.test('by address too', async () => {
    await stranger.exchange(
      subscribe.replace('-h localhost', `-h ${address}`),
      publish.replace('-h localhost', `-h ${address}`),
    );
  });

  await t.test('a wrong password, and no password, are refused', async () => {
    const wrong = await stranger.paste(publish.replace(password, 'wrong'));
    assert.equal(wrong.code, 5, wrong.output);
    const none = await stranger.paste(publish.replace(`-u ${user} -P ${password}`, ''));
    assert.equal(none.code, 5, none.output);
  });

  await t.test('nothing is taken in the clear', async () => {
    const listening = await stranger.namespace.run('ss', ['-ltnH']);
    const ports = listening.stdout.split('\n').flatMap(line => /:(\d+)\s/.exec(line)?.[1] ?? []);
    assert.deepEqual([...new Set(ports)].sort(), ['8883', '8884']);
  });

  await t.test('only its owner can read what it made', () => {
    first = fingerprints(stranger.home);
    const open = Object.entries(first).filter(([, print]) => !/^(600|700) /.test(print));
    assert.deepEqual(open, []);
  });

  await t.test('the second start changes no file, shows no password, and the same lines work', async () => {
    await stranger.start();
    assert.deepEqual(fingerprints(stranger.home), first);
    assert.ok(!stranger.broker!.log.includes(password), stranger.broker!.log);
    await stranger.exchange(subscribe, publish);
  });

  await t.test('secure WebSocket answers on 8884', needs('/usr/lib/python3/dist-packages/paho'), async () => {
    const wanted = {
      port: 8884,
      version: 5,
      transport: 'websockets',
      ca: join(stranger.home, 'ca.crt'),
      topic: 'ws',
      id: 'ws',
    };
    const result = await stranger.namespace.run('/usr/bin/python3', [
      pahoFlow,
      JSON.stringify({ ...wanted, username: user, password }),
    ]);
    assert.equal(result.code, 0, result.output + stranger.broker!.log);
  });
});
