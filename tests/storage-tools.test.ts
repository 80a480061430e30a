/**
 * Moving in and out, with real files of Debian's Mosquitto, its clients, and a broker that runs meanwhile: first start on
 * what Mosquitto left, import, export, backup, restore.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test, type TestContext } from 'node:test';
import {
  Background,
  findProgram,
  freePort,
  needs,
  run,
  startBroker,
  temporaryDirectory,
  until,
  zancudo,
} from './harness/mod.ts';

const tools = needs('mosquitto', 'mosquitto_pub', 'mosquitto_sub');
const sub = findProgram('mosquitto_sub') ?? '';
const pub = findProgram('mosquitto_pub') ?? '';

/** Root would become the user mosquitto, who cannot reach the folder of a test. */
const asNow = process.getuid?.() === 0 ? 'user root\n' : '';

/** `to(1883, ...)` for arguments as one line. */
const to = (port: number, line: string): string[] => ['-p', String(port), ...line.split(' ')];

describe('what Mosquitto has kept', tools, () => {
  let database: Buffer;

  before(async () => {
    database = await mosquittosDatabase();
  });

  function folderWith(t: TestContext): { folder: string; conf: string; store: string } {
    const directory = temporaryDirectory();
    const { path } = directory;
    t.after(() => directory.remove());
    const folder = join(path, 'data');
    mkdirSync(folder);
    writeFileSync(join(folder, 'mosquitto.db'), database);
    return { folder, conf: join(path, 'mosquitto.conf'), store: join(folder, 'mosquitto.sqlite3') };
  }

  test('is there when Zancudo starts in its place, and its file stays as it is', async t => {
    const { folder, conf } = folderWith(t);
    const port = await freePort();
    writeFileSync(
      conf,
      `listener ${port} 127.0.0.1\nallow_anonymous true\n${asNow}persistence true\npersistence_location ${folder}\n`,
    );
    const broker = await startBroker({ confPath: conf });
    t.after(() => broker.stop());
    assert.match(
      broker.lines.join('\n'),
      /Taken over from .*mosquitto\.db \(Mosquitto's database, format 6\): 3 sessions, 3 subscriptions, 2 retained messages, 4 messages waiting/,
    );
    const queued = await run(sub, to(port, '-i s1 -c -q 2 -t other -C 2 -W 20 -F %t:%q:%p'));
    assert.equal(queued.stdout, 't/1:1:one\nt/2:2:two\n');
    const inFlight = await run(sub, to(port, '-i slow -c -q 1 -t other -C 1 -W 20 -F %t:%p'));
    assert.equal(inFlight.stdout, 'slow/1:first\n');
    const version5 = await run(sub, to(port, '-V 5 -i s5 -c -x 3600 -q 1 -t other -C 1 -W 20 -F %t:%p:%C'));
    assert.match(version5.stdout, /^u\/1:x:text\/plain$/m);
    const retained = await run(sub, to(port, '-t # -C 2 -W 20 -F %t:%p:%r'));
    assert.deepEqual(retained.stdout.trim().split('\n').sort(), ['007:num:1', 'a/b:hello:1']);
    assert.deepEqual(readFileSync(join(folder, 'mosquitto.db')), database);
  });

  test('can be looked at first, is imported by hand, and not while the broker runs', async t => {
    const { folder, conf, store } = folderWith(t);
    const port = await freePort();
    writeFileSync(
      conf,
      `listener ${port} 127.0.0.1\nallow_anonymous true\n${asNow}plugin mosquitto_persist_sqlite.so\npersistence_location ${folder}\n`,
    );
    const bring = (...more: string[]): ReturnType<typeof run> =>
      run(zancudo, ['import', join(folder, 'mosquitto.db'), '-c', conf, ...more]);
    const dry = await bring('--dry-run');
    assert.match(dry.stdout, /^session {3}s1: 1 subscription, 2 messages waiting$/m);
    assert.ok(!existsSync(store));
    assert.equal((await bring()).code, 0);
    const broker = await startBroker({ confPath: conf });
    assert.match(broker.lines.join('\n'), /Restored 3 sessions/);
    const refused = await bring();
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /Another process has it open/);
    await broker.stop();
    assert.match((await bring()).stderr, /5 were there already and stayed as they are/);
  });

  test('cut off before its end, costs what is behind the cut and one line', async t => {
    const { folder, conf } = folderWith(t);
    writeFileSync(join(folder, 'mosquitto.db'), database.subarray(0, database.length - 20));
    writeFileSync(
      conf,
      `listener ${await freePort()} 127.0.0.1\n${asNow}persistence true\npersistence_location ${folder}\n`,
    );
    const broker = await startBroker({ confPath: conf });
    t.after(() => broker.stop());
    assert.match(broker.lines.join('\n'), /Damaged: \d+ bytes in 1 place could not be read/);
    assert.match(broker.lines.join('\n'), /Restored 3 sessions/);
  });
});

test('a running broker is backed up and exported; both bring everything back', tools, async t => {
  const directory = temporaryDirectory();
  const { path } = directory;
  t.after(() => directory.remove());
  const [conf, backup, lines] = [join(path, 'a.conf'), join(path, 'backup'), join(path, 'export.json')];
  const port = await freePort();
  writeFileSync(
    conf,
    `listener ${port} 127.0.0.1\nallow_anonymous true\n${asNow}persistence true\npersistence_location ${path}\n`,
  );
  const broker = await startBroker({ confPath: conf });
  await run(sub, to(port, '-i c -c -q 1 -t q/# -E'));
  await run(pub, to(port, '-q 1 -t q/1 -m kept'));
  await run(pub, to(port, '-q 1 -r -t r -m retained'));
  assert.equal((await run(zancudo, ['backup', backup, '-c', conf])).code, 0);
  assert.equal((await run(zancudo, ['export', '--json', lines, '-c', conf])).code, 0);
  const refused = await run(zancudo, ['restore', backup, '-c', conf]);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /in use.*\n {2}Stop the broker first/);
  await run(sub, to(port, '-i c -c -q 1 -t q/# -C 1 -W 20'));
  await run(pub, to(port, '-r -n -t r'));
  await broker.stop();

  const waiting = async (): Promise<string> => {
    const again = await startBroker({ confPath: conf });
    const { stdout } = await run(sub, to(port, '-i c -c -q 1 -t r -C 2 -W 20 -F %t:%p'));
    await again.stop();
    return stdout.trim().split('\n').sort().join(' ');
  };
  assert.match((await run(zancudo, ['restore', backup, '-c', conf])).stdout, /What was there is now .*before-restore-/);
  assert.equal(await waiting(), 'q/1:kept r:retained');
  assert.equal((await run(zancudo, ['import', lines, '-c', conf, '--replace'])).code, 0);
  assert.equal(await waiting(), 'q/1:kept r:retained');
});

test('without an option the store of the home is meant, whatever else its settings ask of a home', async t => {
  const directory = temporaryDirectory();
  t.after(() => directory.remove());
  const [home, lines, backup] = ['home', 'lines.json', 'backup'].map(name => join(directory.path, name)) as [string, string, string]; // prettier-ignore
  mkdirSync(join(home, 'data'), { recursive: true });
  const conf = ['persistence true', `persistence_location ${join(home, 'data')}`, 'listener 1', 'certfile c', 'keyfile k', 'enrolment true']; // prettier-ignore
  writeFileSync(join(home, 'zancudo.conf'), `${conf.join('\n')}\n`);
  const session = { kind: 'session', clientId: 'c', expiryInterval: 60 };
  writeFileSync(lines, `${JSON.stringify({ kind: 'header', format: 'zancudo export', version: 1 })}\n${JSON.stringify(session)}\n`); // prettier-ignore
  const ours = (...args: string[]): ReturnType<typeof run> =>
    run(zancudo, args, { env: { ...process.env, ZANCUDO_HOME: home } });
  assert.match((await ours('import', lines)).output, /: 1 session,/);
  assert.match((await ours('export', '--json')).output, /"clientId":"c"/);
  assert.match((await ours('backup', backup)).output, /home\/data\/mosquitto\.sqlite3 to .*: \d+ bytes, checked\.$/m);
  assert.match((await ours('restore', backup)).output, /^Restored .*\nWhat was there is now /);
});

/** Three sessions, of MQTT 3.1.1 and 5, with what waits for them, one message in flight, and retained messages. */
async function mosquittosDatabase(): Promise<Buffer> {
  const directory = temporaryDirectory();
  const { path } = directory;
  const port = await freePort();
  chmodSync(path, 0o777);
  const conf = join(path, 'm.conf');
  writeFileSync(
    conf,
    `listener ${port} 127.0.0.1\nallow_anonymous true\npersistence true\npersistence_location ${path}/\nmax_inflight_messages 1\n`,
  );
  const mosquitto = new Background(findProgram('mosquitto')!, ['-c', conf]);
  try {
    await until('Mosquitto to run', () => mosquitto.stderr.includes('running'));
    await run(sub, to(port, '-i s1 -c -q 2 -t t/# -E'));
    await run(sub, to(port, '-V 5 -i s5 -c -x 3600 -q 1 -t u/# -D subscribe subscription-identifier 42 -E'));
    await inFlight(port);
    await run(pub, to(port, '-q 1 -t t/1 -m one'));
    await run(pub, to(port, '-q 2 -t t/2 -m two'));
    await run(
      pub,
      to(port, '-V 5 -q 1 -t u/1 -m x -D publish content-type text/plain -D publish message-expiry-interval 900'),
    );
    await run(pub, to(port, '-q 1 -r -t a/b -m hello'));
    await run(pub, to(port, '-r -t 007 -m num'));
    await mosquitto.stop();
    return readFileSync(join(path, 'mosquitto.db'));
  } finally {
    await mosquitto.stop();
    directory.remove();
  }
}

/** A client that is stopped before it can acknowledge what it was sent. */
async function inFlight(port: number): Promise<void> {
  const slow = new Background(sub, to(port, '-i slow -c -q 1 -t slow/# -k 600'));
  await once(slow.process, 'spawn');
  await until(
    'the subscription',
    async () => (await run(pub, to(port, '-q 0 -r -t slow/ready -m x'))).code === 0 && slow.stdout.includes('x'),
  );
  slow.process.kill('SIGSTOP');
  await run(pub, to(port, '-q 1 -t slow/1 -m first'));
  slow.process.kill('SIGKILL');
  await slow.ended();
  await run(pub, to(port, '-r -n -t slow/ready'));
}
