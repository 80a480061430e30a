import assert from 'node:assert/strict';
import { createPublicKey, type KeyObject } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import fc from 'fast-check';
import { makeKey } from '../keys.ts';
import { diskRegistryStore, journalFile, type RegistryStore } from '../registry/journal.ts';
import { readLedger, withRegistry } from '../registry/registry.ts';
import { present, shell, temporaryFolder } from '../shared.test.ts';
import { writeRequest } from '../write-request.ts';
import { createInvite, withdrawInvites, type InviteWish } from './invites.ts';
import { EnrolmentOffice, type Enrolled } from './office.ts';
import { EnrolmentRefusal } from './refusal.ts';

const day = 86_400_000;
const now = Date.now();
const key = await makeKey('ec');
const lamp = { address: '192.168.1.77', now };

async function home(t: TestContext): Promise<string> {
  const folder = path.join(temporaryFolder(t), 'home');
  await withRegistry({ folder, store: diskRegistryStore, now }, async () => undefined, { create: true });
  return folder;
}

function officeOf(folder: string, store: RegistryStore = diskRegistryStore): EnrolmentOffice {
  const nothing = (): void => undefined;
  return new EnrolmentOffice({ folder, store, graceDays: () => 30, admit: nothing, issued: nothing, inForce: async () => undefined }); // prettier-ignore
}

async function invite(folder: string, wish: Partial<InviteWish> = {}): Promise<string> {
  const at = { folder, store: diskRegistryStore, now };
  return (await withRegistry(at, async registry => createInvite(registry, { name: 'lamp', template: 'device', ...wish }))).token; // prettier-ignore
}

function granted(answer: Enrolled | EnrolmentRefusal): Enrolled {
  assert.ok(!(answer instanceof EnrolmentRefusal), answer instanceof EnrolmentRefusal ? answer.log : '');
  return answer;
}

function refused(answer: unknown, code: string): EnrolmentRefusal {
  assert.ok(answer instanceof EnrolmentRefusal);
  assert.equal(answer.code, code, answer.log);
  return answer;
}

test('a token is exchanged once for a certificate of the name that was invited, whatever the request says', async t => {
  const folder = await home(t);
  const office = officeOf(folder);
  const token = await invite(folder);
  const { certificate } = granted(await office.redeem(token, writeRequest('operator', key), lamp));
  assert.equal(certificate.subject, 'CN=lamp');
  assert.ok(certificate.publicKey.equals(createPublicKey(key)));
  const again = refused(await office.redeem(token, writeRequest('lamp', key), lamp), 'token-used');
  assert.match(again.log, /zancudo device revoke lamp/);
  assert.equal(readLedger(folder).certificates.length, 1);
});

test('a token is taken however it was typed, and stands in no file', async t => {
  const folder = await home(t);
  const token = await invite(folder);
  const typed = ` ${token.toUpperCase().replaceAll('-', ' ')}\n`;
  assert.equal(shellFind(folder, token), false);
  assert.equal(shellFind(folder, token.replaceAll('-', '')), false);
  granted(await officeOf(folder).redeem(typed, writeRequest('lamp', key), lamp));
});

function shellFind(folder: string, text: string): boolean {
  const files = fs.readdirSync(folder, { recursive: true, withFileTypes: true }).filter(each => each.isFile());
  return files.some(each => fs.readFileSync(path.join(each.parentPath, each.name), 'latin1').includes(text));
}

test('of many who bring the same token at once, to two offices of one CA, one is let in', async t => {
  const folder = await home(t);
  const token = await invite(folder);
  const offices = [officeOf(folder), officeOf(folder)];
  const keys = await Promise.all(Array.from({ length: 8 }, () => makeKey('ec')));
  const answers = await Promise.all(keys.map((one, i) => offices[i % 2]!.redeem(token, writeRequest('lamp', one), lamp)));
  assert.equal(answers.filter(each => !(each instanceof EnrolmentRefusal)).length, 1);
  assert.equal(readLedger(folder).certificates.length, 1);
}); // prettier-ignore

const outside: [why: string, wish: Partial<InviteWish>, who: { address: string; now: number }, code: string][] = [
  ['its time is up', { validMs: 7_200_000 }, { ...lamp, now: now + 7_200_001 }, 'token-expired'],
  ['it comes from elsewhere', { range: '192.168.1.0/24' }, { ...lamp, address: '192.168.2.1' }, 'address-not-allowed'],
  ['it comes from elsewhere (IPv6)', { range: 'fd00::/8' }, { ...lamp, address: 'fe80::1%eth0' }, 'address-not-allowed'],
  ['it brings another kind of key', { keyKind: 'rsa' }, lamp, 'request-refused'],
]; // prettier-ignore
for (const [why, wish, who, code] of outside) {
  test(`no certificate, and the token stays as it was: ${why}`, async t => {
    const folder = await home(t);
    const token = await invite(folder, wish);
    refused(await officeOf(folder).redeem(token, writeRequest('lamp', key), who), code);
    assert.deepEqual(
      [...readLedger(folder).invites.values()].map(each => each.usedAt),
      [null],
    );
  });
}

test('an address in the range is let in, also where an IPv6 socket heard it', async t => {
  const folder = await home(t);
  const token = await invite(folder, { range: '192.168.1.0/24' });
  const address = `::ffff:${lamp.address}`;
  granted(await officeOf(folder).redeem(token, writeRequest('lamp', key), { ...lamp, address }));
});

test('a new token for the same name, and a withdrawal, end the one before', async t => {
  const folder = await home(t);
  const [first, second] = [await invite(folder), await invite(folder)];
  const office = officeOf(folder);
  refused(await office.redeem(first, writeRequest('lamp', key), lamp), 'token-withdrawn');
  await withRegistry({ folder, store: diskRegistryStore, now }, async registry => withdrawInvites(registry, 'lamp'));
  refused(await office.redeem(second, writeRequest('lamp', key), lamp), 'token-withdrawn');
});

test('a device that exists is replaced only by an invitation that says so, and then its certificates end', async t => {
  const folder = await home(t);
  const office = officeOf(folder);
  granted(await office.redeem(await invite(folder), writeRequest('lamp', key), lamp));
  refused(await office.redeem(await invite(folder, { name: 'LAMP' }), writeRequest('lamp', key), lamp), 'name-taken');
  granted(await office.redeem(await invite(folder, { again: true }), writeRequest('lamp', await makeKey('ec')), lamp));
  const [before, after] = readLedger(folder).identities.get('lamp')!.certificates;
  assert.notEqual(before?.revokedAt, null);
  assert.equal(after?.revokedAt, null);
});

const wishes: [why: string, openssl: string][] = [
  ['to become a CA', '-addext basicConstraints=critical,CA:TRUE'],
  ['to be a server', '-addext extendedKeyUsage=serverAuth'],
];
for (const [why, openssl] of wishes) {
  test(`a request that asks ${why} is refused, and the token is still good`, async t => {
    if (!present(t, 'openssl', 'version')) return;
    const folder = await home(t);
    const token = await invite(folder);
    shell(`openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=lamp ${openssl} -keyout k -outform DER -out r 2>&1`, folder); // prettier-ignore
    const office = officeOf(folder);
    refused(await office.redeem(token, fs.readFileSync(path.join(folder, 'r')), lamp), 'request-refused');
    granted(await office.redeem(token, writeRequest('lamp', key), lamp));
  });
}

test('alternative names in a request are not taken over', async t => {
  if (!present(t, 'openssl', 'version')) return;
  const folder = await home(t);
  shell(`openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=x -addext subjectAltName=DNS:broker -keyout k -outform DER -out r 2>&1`, folder); // prettier-ignore
  const request = fs.readFileSync(path.join(folder, 'r'));
  const { certificate } = granted(await officeOf(folder).redeem(await invite(folder), request, lamp));
  assert.equal(certificate.subjectAltName, undefined);
});

test('whatever bytes come as a request, a certificate is only issued for the key that signed it', async t => {
  const folder = await home(t);
  const good = writeRequest('lamp', key);
  const spoilt = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.tuple(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 })).map(([at, change]) => {
      const bytes = Uint8Array.from(good);
      bytes[at]! ^= change;
      return bytes;
    }),
    fc.nat(good.length - 1).map(length => good.subarray(0, length)),
  );
  let token = await invite(folder);
  await fc.assert(
    fc.asyncProperty(spoilt, async bytes => {
      const answer = await officeOf(folder).redeem(token, bytes, lamp);
      if (answer instanceof EnrolmentRefusal) return void refused(answer, 'request-refused');
      // A change outside of what is signed, such as the tag of the whole, may pass.
      assert.ok(answer.certificate.publicKey.equals(createPublicKey(key)));
      assert.equal(answer.certificate.subject, 'CN=lamp');
      token = await invite(folder, { again: true });
    }),
    { numRuns: 300 },
  );
});

class PowerCut extends Error {}

test('after a power cut at any write the token is unused, or its certificate is on record', async t => {
  const original = await home(t);
  const token = await invite(original);
  for (let writes = 0, done = false; !done; writes++) {
    const folder = `${original}-${writes}`;
    fs.cpSync(original, folder, { recursive: true });
    let left = writes;
    const cut = (leftover: () => void): void => {
      if (left-- > 0) return;
      leftover();
      throw new PowerCut();
    };
    const store: RegistryStore = {
      makeFolder: name => diskRegistryStore.makeFolder(name),
      write: (file, text) => (cut(() => undefined), diskRegistryStore.write(file, text)),
      append: (file, text) => (cut(() => fs.appendFileSync(file, text.slice(0, text.length / 2))), diskRegistryStore.append(file, text)), // prettier-ignore
      remove: file => (cut(() => undefined), diskRegistryStore.remove(file)),
    };
    done = await officeOf(folder, store).redeem(token, writeRequest('lamp', key), lamp).then(
      answer => Boolean(granted(answer)),
      (error: unknown) => {
        assert.ok(error instanceof PowerCut, String(error));
        return false;
      },
    );
    const { usedAt } = [...readLedger(folder).invites.values()][0]!;
    assert.equal(readLedger(folder).certificates.length, usedAt === null ? 0 : 1, `cut before write ${writes}`);
    const later = await officeOf(folder).redeem(token, writeRequest('lamp', key), lamp);
    assert.equal(later instanceof EnrolmentRefusal, usedAt !== null);
  }
}); // prettier-ignore

async function enrolled(folder: string, wish: Partial<InviteWish> = {}): Promise<Enrolled> {
  return granted(await officeOf(folder).redeem(await invite(folder, wish), writeRequest('lamp', key), lamp));
}

test('a certificate is renewed while it lasts and for 30 days after, with its name, template and lifetime', async t => {
  const folder = await home(t);
  const { certificate } = await enrolled(folder, { template: 'sensor', lifetimeDays: 7 });
  const fresh: KeyObject = await makeKey('ec');
  const office = officeOf(folder);
  const renew = (days: number) =>
    office.renew(certificate.raw, writeRequest('other', fresh), { ...lamp, now: now + days * day });
  const renewed = granted(await renew(1)).certificate;
  assert.equal(renewed.subject, 'CN=lamp');
  assert.ok(renewed.publicKey.equals(createPublicKey(fresh)));
  assert.equal(Math.round((renewed.validToDate.getTime() - renewed.validFromDate.getTime()) / day), 7);
  assert.equal(readLedger(folder).identities.get('lamp')!.template, 'sensor');
  granted(await renew(35));
  refused(await renew(37), 'certificate-expired');
});

test('what is revoked, or was not issued here, is not renewed', async t => {
  const folder = await home(t);
  const { certificate } = await enrolled(folder);
  const elsewhere = await enrolled(await home(t));
  const at = { folder, store: diskRegistryStore, now };
  await withRegistry(at, async registry => registry.revoke([certificate.serialNumber], 'lost'));
  const office = officeOf(folder);
  refused(await office.renew(certificate.raw, writeRequest('lamp', key), lamp), 'certificate-revoked');
  refused(await office.renew(elsewhere.certificate.raw, writeRequest('lamp', key), lamp), 'certificate-unknown');
});

test('a device that renews in a circle is stopped before it fills the disk', async t => {
  const folder = await home(t);
  let { certificate } = await enrolled(folder);
  const office = officeOf(folder);
  for (let i = 0; i < 50; i++) {
    const answer = await office.renew(certificate.raw, writeRequest('lamp', key), lamp);
    if (answer instanceof EnrolmentRefusal) return void refused(answer, 'too-many');
    certificate = answer.certificate;
  }
  assert.fail('50 renewals');
});

test('who brings wrong tokens has to wait, longer each time, and others do not', async t => {
  const folder = await home(t);
  const token = await invite(folder);
  const office = officeOf(folder);
  const wrong = token.replace(/^./, first => (first === 'a' ? 'b' : 'a'));
  for (let i = 0; i < 6; i++) refused(await office.redeem(wrong, writeRequest('lamp', key), lamp), 'token-unknown');
  const wait = refused(await office.redeem(token, writeRequest('lamp', key), lamp), 'too-many');
  assert.ok((wait.retryAfterSeconds ?? 0) > 0);
  const later = { ...lamp, now: now + (wait.retryAfterSeconds ?? 0) * 1000 };
  refused(await office.redeem(wrong, writeRequest('lamp', key), later), 'token-unknown');
  const longer = refused(await office.redeem(wrong, writeRequest('lamp', key), later), 'too-many');
  assert.ok((longer.retryAfterSeconds ?? 0) > (wait.retryAfterSeconds ?? 0));
  granted(await office.redeem(token, writeRequest('lamp', key), { ...lamp, address: '192.168.1.78' }));
});

test('invitations are in the journal, which is for its owner alone', async t => {
  const folder = await home(t);
  await invite(folder);
  assert.equal(fs.statSync(journalFile(folder)).mode & 0o777, 0o600);
});
