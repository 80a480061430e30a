import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { authorityFiles } from '../authority.ts';
import { verdictOnClientCertificate } from '../client-verdict.ts';
import { readCrls } from '../crl.ts';
import { certificatesOf, factsOf } from '../inspect.ts';
import { makeKey, type KeyKind } from '../keys.ts';
import { PkiError } from '../pki-error.ts';
import type { ClientProfileName } from '../profiles.ts';
import { present, run, temporaryFolder } from '../shared.test.ts';
import { diskRegistryStore, journalFile, type RegistryStore } from './journal.ts';
import { liveCertificates, stateOf } from './ledger.ts';
import { checkName, readLedger, withRegistry, type Registry } from './registry.ts';

const day = 86_400_000;

function home(t: TestContext, store: RegistryStore = diskRegistryStore) {
  return { folder: path.join(temporaryFolder(t), 'home'), store, now: Date.now() };
}

async function add(registry: Registry, name: string, profile: ClientProfileName = 'device', kind: KeyKind = 'ec') {
  const key = await makeKey(kind);
  const [certificate] = await registry.issueClients([{ name, profile, key, template: 'device' }]);
  return { key, certificate: certificate! };
}

/** What the broker would say, from the files that it loads. */
function verdict(
  folder: string,
  certificate: Parameters<typeof verdictOnClientCertificate>[0][number],
  now = Date.now(),
) {
  const { trusted, revoked } = authorityFiles(folder);
  const cas = certificatesOf(fs.readFileSync(trusted, 'utf8'));
  const { lists } = readCrls(fs.readFileSync(revoked, 'utf8'));
  return verdictOnClientCertificate([certificate], cas, lists, now, { checkRevocation: true });
}

const code = (wanted: string) => (error: unknown) => error instanceof PkiError && error.finding.code === wanted;

test('a device has a certificate that lets it in, until it is revoked', async t => {
  const at = home(t);
  const { certificate } = await withRegistry(at, registry => add(registry, 'lamp'), { create: true });
  assert.equal(verdict(at.folder, certificate), null);
  await withRegistry(at, async registry => {
    registry.revoke([certificate.serialNumber], 'lost');
    registry.revoke([certificate.serialNumber], 'lost again');
  });
  assert.match(verdict(at.folder, certificate)?.code ?? '', /revoked/);
  const ledger = readLedger(at.folder);
  const lamp = ledger.identities.get('lamp')!;
  assert.equal(stateOf(lamp.certificates[0]!, lamp, at.now), 'revoked');
  assert.equal(lamp.certificates[0]?.revokedBecause, 'lost');
  assert.deepEqual(liveCertificates(lamp, at.now), []);
});

test('the published files are left alone as long as they fit', async t => {
  const at = home(t);
  await withRegistry(at, registry => add(registry, 'lamp'), { create: true });
  const { revoked } = authorityFiles(at.folder);
  const before = fs.readFileSync(revoked, 'utf8');
  await withRegistry(at, async registry => assert.equal(registry.changed, false));
  assert.equal(fs.readFileSync(revoked, 'utf8'), before);
});

test('a renewed certificate replaces the one before, which stays good until it ends', async t => {
  const at = home(t);
  await withRegistry(at, registry => add(registry, 'lamp'), { create: true });
  await withRegistry(at, registry => add(registry, 'lamp'));
  const lamp = readLedger(at.folder).identities.get('lamp')!;
  assert.deepEqual(
    lamp.certificates.map(each => stateOf(each, lamp, at.now)),
    ['replaced', 'valid'],
  );
  assert.deepEqual(
    lamp.certificates.map(each => stateOf(each, lamp, at.now + 91 * day)),
    ['expired', 'expired'],
  );
});

test('a name that could stand for many, or break a file or a line, is refused', () => {
  for (const good of ['lamp', 'Kitchen-Lamp_2.left', '7']) checkName(good);
  for (const bad of ['', '#', 'a+b', 'a/b', '../x', '-rf', '.x', 'a b', 'ñ', 'x'.repeat(65), 'a\nb']) {
    assert.throws(() => checkName(bad), code('pki.unusable-name'), bad);
  }
});

test('without a CA nothing is issued, and nothing is made by the way', async t => {
  const at = home(t);
  await assert.rejects(
    withRegistry(at, registry => add(registry, 'lamp')),
    code('pki.no-ca'),
  );
  assert.throws(() => readLedger(at.folder), code('pki.no-ca'));
  assert.equal(fs.existsSync(at.folder), false);
});

test('lists and journal survive a line that a power cut has cut short', async t => {
  const at = home(t);
  await withRegistry(at, registry => add(registry, 'lamp'), { create: true });
  fs.appendFileSync(journalFile(at.folder), '{"event":"revoked","at":17');
  await withRegistry(at, registry => add(registry, 'fan'));
  assert.deepEqual([...readLedger(at.folder).identities.keys()], ['lamp', 'fan']);
  fs.appendFileSync(journalFile(at.folder), 'somebody else was here\n');
  assert.throws(() => readLedger(at.folder), code('pki.journal-damaged'));
});

class PowerCut extends Error {}

/** Stops for good before the nth write, leaving a part of it behind. */
function storeWithPowerCut(writes: number): RegistryStore {
  let left = writes;
  const cut = (leftover: () => void): void => {
    if (left-- > 0) return;
    leftover();
    throw new PowerCut();
  };
  return {
    makeFolder: folder => diskRegistryStore.makeFolder(folder),
    write(file, text) {
      cut(() => fs.writeFileSync(`${file}.tmp-1`, text.slice(0, 9)));
      diskRegistryStore.write(file, text);
    },
    append(file, text) {
      cut(() => fs.appendFileSync(file, text.slice(0, text.length / 2)));
      diskRegistryStore.append(file, text);
    },
    remove(file) {
      cut(() => undefined);
      diskRegistryStore.remove(file);
    },
  };
}

test('a power cut between any two writes of issuing and revoking leaves a CA that works', async t => {
  const at = home(t);
  const first = await withRegistry(at, registry => add(registry, 'lamp'), { create: true });
  let writes = 0;
  for (let done = false; !done; writes++) {
    const store = storeWithPowerCut(writes);
    try {
      await withRegistry({ ...at, store }, async registry => {
        const { certificate } = await add(registry, `fan-${writes}`);
        registry.revoke([certificate.serialNumber], 'lost');
      });
      done = true;
    } catch (error) {
      assert.ok(error instanceof PowerCut, String(error));
    }
    await withRegistry(at, async () => undefined);
    assert.equal(verdict(at.folder, first.certificate), null);
    for (const { revokedAt, der } of readLedger(at.folder).certificates) {
      const known = verdict(
        at.folder,
        certificatesOf(`-----BEGIN CERTIFICATE-----\n${der.toString('base64')}\n-----END CERTIFICATE-----\n`)[0]!,
      );
      assert.equal(known === null, revokedAt === null);
    }
  }
  assert.ok(writes > 3, `${writes} writes`);
});

const kinds: KeyKind[] = ['ec', 'rsa', 'ed25519'];
const clientProfiles: ClientProfileName[] = ['device', 'device-without-updates', 'operator'];

for (const kind of kinds) {
  test(`openssl verifies every profile with a key of kind ${kind}, strictly and with the revocation lists`, async t => {
    if (!present(t, 'openssl', 'version')) return;
    const at = home(t);
    await withRegistry(
      at,
      async registry => {
        for (const profile of clientProfiles) {
          const { certificate } = await add(registry, profile, profile, kind);
          fs.writeFileSync(path.join(at.folder, `${profile}.crt`), certificate.toString());
        }
        const names = [{ kind: 'dns' as const, value: 'broker.example' }];
        const key = await makeKey(kind);
        const server = await registry.issueServer({ commonName: 'broker', names, key });
        fs.writeFileSync(path.join(at.folder, 'server.crt'), server.toString());
        registry.revoke([registry.ledger.identities.get('operator')!.certificates[0]!.serial], 'left');
      },
      { create: true },
    );
    const verify = (purpose: string, ...rest: string[]) =>
      run(
        'openssl',
        ['verify', '-x509_strict', '-purpose', purpose, '-CAfile', 'ca.crt', '-untrusted', 'ca/issuing.crt', ...rest],
        at.folder,
      );
    for (const profile of ['device', 'device-without-updates']) {
      assert.equal(
        verify('sslclient', '-CRLfile', 'clients/revoked.crl', '-crl_check_all', `${profile}.crt`).output.trim(),
        `${profile}.crt: OK`,
      );
    }
    assert.match(
      verify('sslclient', '-CRLfile', 'clients/revoked.crl', '-crl_check', 'operator.crt').output,
      /revoked/,
    );
    assert.equal(verify('sslserver', 'server.crt').output.trim(), 'server.crt: OK');
    assert.notEqual(verify('sslserver', 'device.crt').status, 0);
    assert.notEqual(verify('sslclient', 'server.crt').status, 0);
  });
}

test('lifetimes are those of the profiles, also ten years for a device without updates', async t => {
  const at = home(t);
  const days = await withRegistry(
    at,
    async registry => {
      const found: number[] = [];
      for (const profile of clientProfiles) {
        const { notBefore, notAfter } = factsOf((await add(registry, profile, profile)).certificate);
        found.push(Math.round((notAfter - notBefore) / day));
      }
      return found;
    },
    { create: true },
  );
  assert.deepEqual(days, [90, 3650, 398]);
});

test('a thousand certificates are issued and listed (the times are printed)', async t => {
  const at = home(t);
  const key = await makeKey('ec');
  await withRegistry(
    at,
    async registry => {
      const started = performance.now();
      const requests = Array.from({ length: 1000 }, (_, i) => ({
        name: `d${i}`,
        profile: 'device' as const,
        key,
        template: 'device',
      }));
      await registry.issueClients(requests);
      t.diagnostic(`issued in ${Math.round(performance.now() - started)} ms`);
    },
    { create: true },
  );
  const started = performance.now();
  assert.equal(readLedger(at.folder).identities.size, 1000);
  t.diagnostic(`listed in ${Math.round(performance.now() - started)} ms`);
  assert.equal(fs.statSync(journalFile(at.folder)).mode & 0o777, 0o600);
});
