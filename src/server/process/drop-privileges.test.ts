import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { applyUmask, dropPrivileges, type Privileges } from './drop-privileges.ts';
import { findIn, type SystemUser } from './user-database.ts';

const users = [
  'root:x:0:0:root:/root:/bin/sh',
  'nobody:x:65534:65534::/:/usr/sbin/nologin',
  'iot:x:900:901::/:/usr/sbin/nologin',
].join('\n');

/** A process that starts as root and writes down what is done to it. */
function rootProcess(known = users) {
  const calls: string[] = [];
  const privileges: Privileges = {
    isRoot: () => true,
    findUser: (nameOrUid): SystemUser | null => findIn(known, nameOrUid),
    setGroupsOf: (name, gid) => void calls.push(`groups of ${name}, ${gid}`),
    setGroups: gids => void calls.push(`groups [${gids.join()}]`),
    setGroup: gid => void calls.push(`group ${gid}`),
    setUser: uid => void calls.push(`user ${uid}`),
  };
  const drop = (user: string, environment: Record<string, string> = {}) => {
    return dropPrivileges({ user, environment, privileges });
  };
  return { calls, drop };
}

test('root becomes the configured user, groups first', () => {
  const { calls, drop } = rootProcess();
  const text = 'Info: running zancudo as user: iot.';
  assert.deepEqual(drop('iot'), { ok: true, messages: [{ as: 'information', text }] });
  assert.deepEqual(calls, ['groups of iot, 901', 'group 901', 'user 900']);
});

test('anybody else stays who he is', () => {
  const { calls } = rootProcess();
  const privileges = { isRoot: () => false } as Privileges;
  assert.deepEqual(dropPrivileges({ user: 'iot', environment: {}, privileges }), { ok: true, messages: [] });
  assert.deepEqual(calls, []);
});

test('where the user mosquitto does not exist, nobody stands in for it', () => {
  const { calls, drop } = rootProcess();
  assert.ok(drop('mosquitto').ok);
  assert.equal(calls.at(-1), 'user 65534');
});

test('any other user that does not exist ends the start with exit code 3', () => {
  const { calls, drop } = rootProcess();
  const result = drop('iott');
  assert.ok(!result.ok);
  assert.equal(result.exitCode, 3);
  assert.equal(result.lines[0], "Error: Unable to drop privileges to 'iott' because this user does not exist.");
  assert.deepEqual(calls, []);
});

test('user root is allowed, with a warning', () => {
  const { calls, drop } = rootProcess();
  const result = drop('root');
  assert.ok(result.ok);
  assert.equal(result.messages[0]?.as, 'warning');
  assert.deepEqual(calls, []);
});

test('PUID and PGID stand in for the option user, also where nobody has these numbers', () => {
  const { calls, drop } = rootProcess();
  assert.ok(drop('iott', { PUID: '1883', PGID: '1884' }).ok);
  assert.deepEqual(calls, ['groups [1884]', 'group 1884', 'user 1883']);
});

test('PUID 0 leaves the user, PGID 0 leaves the group', () => {
  const first = rootProcess();
  assert.ok(first.drop('iot', { PUID: '0', PGID: '1884' }).ok);
  assert.deepEqual(first.calls, ['group 1884']);
  const second = rootProcess();
  assert.ok(second.drop('iot', { PGID: '0' }).ok);
  assert.deepEqual(second.calls, ['groups of iot, 0', 'user 900']);
});

test('a PUID that is no id ends the start with exit code 3', () => {
  const lines = ['abc', '', '-5', '4294967295'].map(PUID => {
    const result = rootProcess().drop('iot', { PUID });
    return result.ok || result.exitCode !== 3 ? null : result.lines[0];
  });
  assert.deepEqual(lines, [
    "Error: PUID not a valid ID 'abc'",
    "Error: PUID not a valid ID ''",
    'Error: PUID must not be negative',
    "Error: PUID not a valid ID '4294967295'",
  ]);
});

test('inside a snap named mosquitto the user stays', () => {
  const { calls, drop } = rootProcess();
  assert.deepEqual(drop('iot', { SNAP_NAME: 'mosquitto' }), { ok: true, messages: [] });
  assert.deepEqual(calls, []);
});

test('UMASK_SET is an octal number up to 777', () => {
  const masks: number[] = [];
  const results = ['027', '7777', '9', ''].map(text => applyUmask({ UMASK_SET: text }, mask => void masks.push(mask)));
  assert.deepEqual(masks, [0o27]);
  const lines = results.map(result => (result.ok ? 'ok' : result.lines[0]));
  assert.deepEqual(lines, [
    'ok',
    'Error: UMASK_SET environment variable out of range.',
    'Error: UMASK_SET environment variable not a valid octal number.',
    'Error: UMASK_SET environment variable not a valid octal number.',
  ]);
  assert.deepEqual(applyUmask({}), { ok: true });
});

const skip = process.geteuid?.() === 0 ? false : 'not started as root';

test('a process of root has lost user, group and all other groups afterwards', { skip }, () => {
  const module = JSON.stringify(new URL('./drop-privileges.ts', import.meta.url).href);
  const program = `
    const { dropPrivileges } = await import(${module});
    const { ok } = dropPrivileges({ user: 'nobody', environment: {} });
    console.log(JSON.stringify({ ok, uid: process.getuid(), gid: process.getgid(), groups: process.getgroups() }));`;
  const run = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
  const { ok, uid, gid, groups } = JSON.parse(run.stdout) as {
    ok: boolean;
    uid: number;
    gid: number;
    groups: number[];
  };
  assert.ok(ok && uid !== 0 && gid !== 0);
  assert.deepEqual(groups, [gid]);
});
