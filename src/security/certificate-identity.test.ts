/** Rules that are bound to certificates: who has them, who has not, and what becomes of a device that leaves them. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import fc from 'fast-check';
import type { Identity, ListenerRules } from '../broker/ports.ts';
import { createAccessControl, type DevicePolicy } from './access-control.ts';
import { type AclFile, plannedAclFile } from './acl-file.ts';
import { certificateLine, devicesBegin, devicesEnd } from './certificate-identity.ts';

const listener = { name: 'port 8883' } as ListenerRules;
const fingerprint = (name: string): string => `SHA OF ${name}`;

function who(claims: Partial<Identity>): Identity {
  return { clientId: 'c', username: null, listener, address: '', ...claims };
}

const block = (name: string, rules: readonly string[], certificates: readonly string[] = [name]): string[] => [
  `user ${name}`,
  ...certificates.map(each => certificateLine(fingerprint(each))),
  ...rules,
];

function aclOf(lines: readonly string[]): AclFile {
  const read = plannedAclFile('FILE', lines);
  assert.ok(read.ok, JSON.stringify(read));
  return read.value;
}

const home = ['user ana', 'topic readwrite #', devicesBegin, ...block('lamp', ['topic readwrite devices/lamp/#'], ['lamp', 'lamp renewed']), ...block('door', ['topic write devices/door/#']), devicesEnd]; // prettier-ignore

test('the certificate brings the rules: under any name and client id, with each certificate of the device', () => {
  const acl = aclOf(home);
  for (const certificate of ['lamp', 'lamp renewed']) {
    for (const username of ['lamp', 'door', 'ana', null]) {
      const lamp = who({ username, clientId: 'door', certificate: fingerprint(certificate) });
      assert.equal(acl.may('write', lamp, 'devices/lamp/x'), 'allow');
      assert.equal(acl.may('write', lamp, 'devices/door/x'), 'deny');
    }
  }
});

test('a name that was not proved has nothing of the device; a certificate that is not in the file brings nothing', () => {
  const acl = aclOf(home);
  assert.equal(acl.may('write', who({ username: 'lamp' }), 'devices/lamp/x'), 'deny');
  assert.equal(acl.may('write', who({ username: 'lamp', certificate: 'another' }), 'devices/lamp/x'), 'deny');
  assert.equal(acl.may('write', who({ username: 'ana', certificate: 'another' }), 'devices/lamp/x'), 'allow');
  assert.equal(acl.may('write', who({ username: 'lamp', vouchedName: 'lamp' }), 'devices/lamp/x'), 'allow');
});

test('%u in a pattern is the device, not the name that its holder claims', () => {
  const acl = aclOf([...home, 'pattern readwrite people/%u/#']);
  const lamp = who({ username: 'ana', certificate: fingerprint('lamp') });
  assert.equal(acl.may('write', lamp, 'people/ana/x'), 'deny');
  assert.equal(acl.may('write', lamp, 'people/lamp/x'), 'allow');
});

test('rules between the marks without a certificate are for the name, as in any access file', () => {
  const acl = aclOf([devicesBegin, ...block('lamp', ['topic read x'], []), devicesEnd]);
  assert.equal(acl.may('read', who({ username: 'lamp' }), 'x'), 'allow');
});

test('no name and no client id ever gives a device more than its certificate, or anybody else the rules of a device', () => {
  const acl = aclOf(home);
  const name = fc.oneof(fc.constantFrom('lamp', 'door', 'ana'), fc.string());
  const topic = fc.constantFrom('devices/lamp/x', 'devices/door/x', 'devices/x', 'y');
  const access = fc.constantFrom('read', 'write');
  fc.assert(
    fc.property(name, name, topic, access, fc.constantFrom('lamp', 'door'), (username, clientId, at, asked, device) => {
      const plain = acl.may(asked, who({ certificate: fingerprint(device) }), at);
      assert.equal(acl.may(asked, who({ username, clientId, certificate: fingerprint(device) }), at), plain);
      if (username !== 'ana') assert.equal(acl.may(asked, who({ username, clientId }), at), 'deny');
    }),
  );
});

test('a filter cannot be read by exactly when no topic it matches may be read', () => {
  const level = fc.constantFrom('a', 'b', '+');
  const filter = fc.tuple(fc.array(level, { minLength: 1, maxLength: 3 }), fc.boolean()).map(([levels, more]) => [...levels, ...(more ? ['#'] : [])].join('/')); // prettier-ignore
  const topics = ['a', 'b'].flatMap(one => [one, ...['a', 'b'].flatMap(two => [`${one}/${two}`, `${one}/${two}/a`, `${one}/${two}/b`])]); // prettier-ignore
  fc.assert(
    fc.property(fc.array(filter, { maxLength: 3 }), filter, (readable, wanted) => {
      const rules = (names: readonly string[]): string[] => names.map(each => `topic read ${each}`);
      const acl = aclOf([devicesBegin, ...block('lamp', rules(readable)), devicesEnd]);
      const asked = aclOf([devicesBegin, ...block('lamp', rules([wanted])), devicesEnd]);
      const lamp = who({ certificate: fingerprint('lamp') });
      const both = topics.some(topic => [acl, asked].every(each => each.may('read', lamp, topic) === 'allow'));
      assert.equal(acl.cannotRead(lamp, wanted), !both, `${wanted} of ${readable.join(' ')}`);
    }),
  );
});

function controlOf(t: TestContext, devicePolicy: DevicePolicy, lines: readonly string[] = home) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'quarantine-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  const file = path.join(folder, 'access');
  const write = (text: readonly string[]): void => fs.writeFileSync(file, text.join('\n'), { mode: 0o600 });
  write(lines);
  const told: string[] = [];
  const log = { debug: false, subscribe: false, unsubscribe: false, connections: false, write: (_: unknown, text: string) => void told.push(text) }; // prettier-ignore
  const scopes = new Map([[listener, { passwordFile: null, aclFile: file, pskFile: null }]]);
  const created = createAccessControl(scopes, { log, devicePolicy });
  assert.ok(created.ok);
  return { access: created.access, write, told, reload: () => created.access.reload(scopes) };
}

test('with device_policy quarantine an attempt ends everything of that device, and of no other', t => {
  const { access, told } = controlOf(t, 'quarantine');
  const lamp = who({ username: 'lamp', certificate: fingerprint('lamp') });
  const before = access.generation;
  access.refused('write', lamp, 'devices/door/x');
  assert.ok(access.generation > before, 'remembered answers are void');
  assert.equal(access.mayWrite(lamp, 'devices/lamp/x'), false);
  assert.equal(access.mayRead({ ...lamp, certificate: fingerprint('lamp renewed') }, 'devices/lamp/x'), false);
  assert.equal(access.mayWrite(who({ certificate: fingerprint('door') }), 'devices/door/x'), true);
  assert.match(access.explain('write', lamp, 'devices/lamp/x').because, /in quarantine, because it tried to publish devices\/door\/x: no line/);
  assert.match(told.join('\n'), /Device lamp is in quarantine/);
  assert.equal(access.release('lamp'), true);
  assert.equal(access.mayWrite(lamp, 'devices/lamp/x'), true);
}); // prettier-ignore

test('rules that allow what was tried let the device out; others do not, and refuse lets all out', t => {
  const { access, write, reload } = controlOf(t, 'quarantine');
  const lamp = who({ certificate: fingerprint('lamp') });
  access.refused('write', lamp, 'devices/door/x');
  write([...home, 'topic read nothing']);
  reload();
  assert.equal(access.quarantined().length, 1);
  write([devicesBegin, ...block('lamp', ['topic write devices/#']), devicesEnd]);
  reload();
  assert.equal(access.quarantined().length, 0);
  access.refused('write', lamp, 'elsewhere');
  assert.equal(access.quarantined().length, 1);
  access.setDevicePolicy('refuse');
  assert.equal(access.quarantined().length, 0);
});

test('people, and deliveries that a device does not get, are no reason for a quarantine; with refuse nothing is', t => {
  const { access } = controlOf(t, 'quarantine');
  access.refused('write', who({ username: 'bob' }), 'x');
  access.refused('read', who({ certificate: fingerprint('lamp') }), 'x');
  assert.equal(access.quarantined().length, 0);
  const lenient = controlOf(t, 'refuse').access;
  lenient.refused('write', who({ certificate: fingerprint('lamp') }), 'x');
  assert.equal(lenient.quarantined().length, 0);
  assert.equal(lenient.maySubscribe(who({ certificate: fingerprint('lamp') }), 'secret/#'), true);
  assert.equal(access.maySubscribe(who({ certificate: fingerprint('lamp') }), 'secret/#'), false);
});
