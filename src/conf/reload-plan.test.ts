import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planReload, type ReloadPlan } from './reload-plan.ts';
import { settingsOf } from './shared.test.ts';

const plan = (old: string, next: string): ReloadPlan => planReload(settingsOf(old), settingsOf(next));

function changes(old: string, next: string): { live: string[]; restart: string[] } {
  const planned = plan(old, next);
  assert.ok(planned.ok);
  const names = (list: typeof planned.live): string[] => list.map(({ option, listener }) => (listener === null ? option : `${option} of ${listener}`)); // prettier-ignore
  return { live: names(planned.live), restart: names(planned.restart) };
}

test('the same file read again changes nothing, even when lines have moved', () => {
  const content = 'listener 1883\nmax_qos 1\nlog_dest stdout\npassword_file /p\nlistener 8883 127.0.0.1\n';
  assert.deepEqual(changes(content, `# moved\n\n${content}`), { live: [], restart: [] });
});

test('limits, log, access and listener rules apply at once', () => {
  assert.deepEqual(
    changes(
      'listener 1883\nsys_interval 5\nlog_type error\npassword_file /a',
      'listener 1883\nmax_qos 1\nsys_interval 6\nlog_type all\npassword_file /b',
    ),
    { live: ['sys_interval', 'log_type', 'max_qos of port 1883', 'password_file of port 1883'], restart: [] },
  );
});

test('what only a restart can change keeps its old value, and a line says so', () => {
  const planned = plan('listener 1883\npid_file /a\nprotocol mqtt', 'listener 1883\npid_file /b\nprotocol websockets');
  assert.ok(planned.ok);
  assert.deepEqual([planned.settings.pidFile, planned.settings.listeners[0]?.protocol], ['/a', 'mqtt']);
  const [first, second] = planned.messages.map(({ text }) => text.replace(/^\S+: /, ''));
  assert.equal(first, `'pid_file' has changed from "/a" to "/b": it takes effect at the next start.`);
  assert.match(second ?? '', /'protocol' of port 1883 has changed/);
});

test('a listener keeps speaking TLS, or plain, until the next start', () => {
  const planned = plan('listener 8883', 'listener 8883\ncertfile /c\nkeyfile /k\nmax_qos 0');
  assert.ok(planned.ok);
  const [listener] = planned.settings.listeners;
  assert.deepEqual([listener?.certfile, listener?.keyfile, listener?.maxQos], [null, null, 0]);
  assert.deepEqual(changes('listener 1\ncertfile /c\nkeyfile /k', 'listener 1\ncertfile /d\nkeyfile /k').live, [
    'certfile of port 1',
  ]);
});

test('a listener more refuses the whole reload, in Mosquitto\u2019s words and at its line', () => {
  const next = settingsOf('listener 1883\nlistener 1884');
  const planned = planReload(settingsOf('listener 1883'), next);
  assert.ok(!planned.ok);
  assert.deepEqual(planned.failure.lines, [
    'Error: It is not currently possible to add/remove listeners when reloading the config file.',
    `Error found at ${next.path ?? ''}:2.`,
  ]);
});

test('a listener less, or on another address, refuses it as well', () => {
  assert.equal(plan('listener 1883\nlistener 1884', 'listener 1883').ok, false);
  assert.equal(plan('listener 1883', 'listener 1883 127.0.0.1').ok, false);
  assert.equal(plan('listener 1883', 'sys_interval 5').ok, false);
});

test('listeners are matched by port and address, not by their order', () => {
  assert.deepEqual(changes('listener 1\nmax_qos 1\nlistener 2', 'listener 2\nlistener 1\nmax_qos 1'), {
    live: [],
    restart: [],
  });
});

test('listeners keep the order of the start, so that each port keeps its own rules', () => {
  const planned = plan(
    'listener 1\nmax_qos 1\nlistener 2\nmax_qos 2\nlistener 3',
    'listener 3\nlistener 2\nmax_qos 2\nlistener 1\nmax_qos 0',
  );
  assert.ok(planned.ok);
  assert.deepEqual(
    planned.settings.listeners.map(({ port, maxQos }) => [port, maxQos]),
    [
      [1, 0],
      [2, 2],
      [3, 2],
    ],
  );
});

test('dynamic security stays as it was at the start, whatever becomes of its lines', () => {
  const using = (file: string): string =>
    `listener 1\nplugin mosquitto_dynamic_security.so\nplugin_opt_config_file ${file}\n`;
  for (const next of ['listener 1\nallow_anonymous true\n', using('/b')]) {
    const planned = plan(using('/a'), next);
    assert.ok(planned.ok);
    const { dynamicSecurity, listeners } = planned.settings;
    assert.equal(dynamicSecurity?.configFile, '/a');
    assert.deepEqual(listeners[0]?.security.dynamicSecurity, { beforePasswords: true, beforeAcl: true });
    assert.match(
      planned.messages.map(({ text }) => text).join('\n'),
      /'plugin' has changed from "\/a" to .*next start/,
    );
  }
  const added = plan('listener 1', using('/a'));
  assert.ok(added.ok);
  assert.equal(added.settings.listeners[0]?.security.dynamicSecurity, null);
});
