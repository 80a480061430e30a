/** In the place of Debian's mosquitto: its configuration as installed, its directories, its service's life. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, renameSync, statSync } from 'node:fs';
import { test } from 'node:test';
import { until, type Broker } from '../harness/mod.ts';
import { DebianMachine, machineNeeds } from '../tutorials/debian-machine.ts';
import { assertInOrder, texts, versionLine } from './stage.ts';

test('Debian’s configuration as installed', machineNeeds(), async t => {
  const machine = new DebianMachine({});
  let broker: Broker | null = null;
  t.after(async () => {
    await broker?.stop();
    machine.remove();
  });
  const lines = (): string[] => texts(machine.logFile.trimEnd().split('\n'));

  await t.test('starts as the user mosquitto, for this machine only, with its pid file and log', async () => {
    broker = await machine.startBroker();
    assert.match(machine.log(broker), /Info: running \S+ as user: mosquitto\./);
    assertInOrder(
      lines(),
      versionLine('starting'),
      'Config loaded from /etc/mosquitto/mosquitto.conf.',
      'Starting in local only mode. Connections will only be possible from clients running on this machine.',
      'Opening ipv4 listen socket on port 1883.',
      'Opening ipv6 listen socket on port 1883.',
      versionLine('running'),
    );
    const pid = readFileSync(machine.outside('/run/mosquitto/mosquitto.pid'), 'utf8');
    assert.match(pid, /^\d+$/);
    const owner = statSync(machine.outside('/var/log/mosquitto/mosquitto.log')).uid;
    assert.notEqual(owner, 0, 'the log belongs to mosquitto');
    assert.equal(statSync(`/proc/${pid}`).uid, owner, 'the process too');
  });

  await t.test('serves mosquitto_pub and mosquitto_sub without any option', async () => {
    const reader = machine.leaveRunning('mosquitto_sub -t a -C 1 -W 15');
    await machine.logged(broker!, /New client connected/);
    await until('the message', async () => {
      assert.equal((await machine.type('mosquitto_pub -t a -m hello')).code, 0);
      return reader.hasEnded;
    });
    assert.equal(reader.stdout, 'hello\n');
  });

  await t.test('logrotate: the file is moved, SIGHUP opens a new one', async () => {
    const log = machine.outside('/var/log/mosquitto/mosquitto.log');
    renameSync(log, `${log}.1`);
    const pid = Number(readFileSync(machine.outside('/run/mosquitto/mosquitto.pid'), 'utf8'));
    process.kill(pid, 'SIGHUP');
    await until('the new file', () => existsSync(log));
    assert.equal((await machine.type('mosquitto_pub -t a -m hello')).code, 0);
    await until('a line in it', () => machine.logFile.includes('New client connected'));
  });

  await t.test('ends with 0 and takes the pid file away', async () => {
    assert.equal(await broker!.stop(), 0);
    broker = null;
    assert.equal(existsSync(machine.outside('/run/mosquitto/mosquitto.pid')), false);
    assert.match(lines().at(-1)!, versionLine('terminating'));
  });

  await t.test('a file in conf.d is read', async () => {
    machine.configure('/etc/mosquitto/conf.d/site.conf', 'listener 1884\nallow_anonymous true\n');
    broker = await machine.startBroker();
    assert.equal((await machine.type('mosquitto_pub -p 1884 -t a -m hello')).code, 0);
    assert.notEqual((await machine.type('mosquitto_pub -t a -m hello')).code, 0);
    assert.match(machine.log(broker), /Loading config file '\/etc\/mosquitto\/conf\.d\/site\.conf'/);
  });
});
