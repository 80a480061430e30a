import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { authorityFiles } from '../authority.ts';
import { ensureCertificates } from '../certificate-home.ts';
import { verdictOnClientCertificate } from '../client-verdict.ts';
import { readCrls } from '../crl.ts';
import { readForeignCa } from '../foreign-ca.ts';
import { certificatesOf } from '../inspect.ts';
import { makeKey } from '../keys.ts';
import { machineNames } from '../machine-names.ts';
import { PkiError } from '../pki-error.ts';
import { present, run, shell, temporaryFolder } from '../shared.test.ts';
import { adoptRoot, rollOver, settleRoot } from './change-root.ts';
import { diskRegistryStore, type RegistryStore } from './journal.ts';
import { withRegistry, type Registry } from './registry.ts';

/** A little ahead, as openssl dates what it makes with the time of the making. */
const now = Date.now() + 3_600_000;

function home(t: TestContext, store: RegistryStore = diskRegistryStore) {
  const folder = path.join(temporaryFolder(t), 'home');
  return { folder, store, now };
}

/** What the broker does at its next look. */
const refresh = (folder: string) =>
  ensureCertificates({ folder, store: diskRegistryStore, machine: machineNames(), now });

async function device(registry: Registry, name: string) {
  const key = await makeKey('ec');
  const [certificate] = await registry.issueClients([{ name, profile: 'device', key, template: 'device' }]);
  return certificate!;
}

function letsIn(folder: string, certificate: Parameters<typeof verdictOnClientCertificate>[0][number]): string | null {
  const { trusted, revoked } = authorityFiles(folder);
  const cas = certificatesOf(fs.readFileSync(trusted, 'utf8'));
  const { lists } = readCrls(fs.readFileSync(revoked, 'utf8'));
  return verdictOnClientCertificate([certificate], cas, lists, now, { checkRevocation: true })?.code ?? null;
}

/** Whether a device that was given `ca` accepts what the broker shows. */
function accepts(folder: string, ca: string, pair = 'server'): string {
  const chain = path.join(folder, 'server', `${pair}.crt`);
  return run('openssl', ['verify', '-purpose', 'sslserver', '-CAfile', ca, '-untrusted', chain, chain], folder).output;
}

const code = (wanted: string) => (error: unknown) => error instanceof PkiError && error.finding.code === wanted;

test('between an old root and a new one, devices that trust either accept the broker, and both are let in', async t => {
  if (!present(t, 'openssl', 'version')) return;
  const at = home(t);
  const before = await withRegistry(at, registry => device(registry, 'old'), { create: true });
  await refresh(at.folder);
  const oldCa = path.join(at.folder, 'old-ca.crt');
  fs.copyFileSync(path.join(at.folder, 'ca.crt'), oldCa);
  const after = await withRegistry(at, async registry => {
    assert.equal((await rollOver(registry, 'ec', true)).crossSigned, true);
    return device(registry, 'new');
  });
  await refresh(at.folder);
  for (const pair of ['server', 'server-rsa']) {
    for (const ca of [oldCa, path.join(at.folder, 'ca.crt')]) assert.match(accepts(at.folder, ca, pair), /: OK/);
  }
  assert.deepEqual([letsIn(at.folder, before), letsIn(at.folder, after)], [null, null]);
  await assert.rejects(
    withRegistry(at, registry => rollOver(registry, 'ec', true)),
    code('pki.rollover-open'),
  );
  await withRegistry(at, registry => settleRoot(registry));
  await refresh(at.folder);
  assert.match(accepts(at.folder, path.join(at.folder, 'ca.crt')), /: OK/);
  assert.doesNotMatch(accepts(at.folder, oldCa), /: OK/);
  await withRegistry(at, registry => rollOver(registry, 'rsa', true));
  await refresh(at.folder);
  assert.match(accepts(at.folder, path.join(at.folder, 'ca.crt')), /: OK/);
});

test('a root whose key is away cannot vouch for another, and the remedy says both ways out', async t => {
  const at = home(t);
  await withRegistry(at, registry => device(registry, 'lamp'), { create: true });
  fs.renameSync(path.join(at.folder, 'root'), path.join(at.folder, '..', 'stick'));
  const failure = await withRegistry(at, registry => rollOver(registry, 'ec', true)).catch((error: unknown) => error);
  assert.ok(failure instanceof PkiError);
  assert.equal(failure.finding.code, 'pki.key-away');
  assert.match(failure.finding.remedy.join('\n'), /cp -r[^]*--without-old-root/);
  const change = await withRegistry(at, registry => rollOver(registry, 'ec', false));
  assert.equal(change.crossSigned, false);
});

class PowerCut extends Error {}

test('a power cut at any write of a change of root leaves the old CA or the new one, whole', async t => {
  if (!present(t, 'openssl', 'version')) return;
  const original = home(t);
  const lamp = await withRegistry(original, registry => device(registry, 'lamp'), { create: true });
  let done = false;
  for (let writes = 0; !done; writes++) {
    const at = { ...original, folder: `${original.folder}-${writes}` };
    fs.cpSync(original.folder, at.folder, { recursive: true });
    let left = writes;
    const cut = (): void => {
      if (left-- === 0) throw new PowerCut();
    };
    const store: RegistryStore = {
      makeFolder: folder => diskRegistryStore.makeFolder(folder),
      write: (file, text) => (cut(), diskRegistryStore.write(file, text)),
      append: (file, text) => (cut(), diskRegistryStore.append(file, text)),
      remove: file => (cut(), diskRegistryStore.remove(file)),
    };
    done = await withRegistry({ ...at, store }, registry => rollOver(registry, 'ec', true)).then(
      () => true,
      (error: unknown) => {
        assert.ok(error instanceof PowerCut, String(error));
        return false;
      },
    );
    await refresh(at.folder);
    assert.match(accepts(at.folder, path.join(at.folder, 'ca.crt')), /: OK/, `cut before write ${writes}`);
    assert.equal(letsIn(at.folder, lamp), null);
  }
});

const opensslCa = (options: string) =>
  `openssl req -x509 ${options} -days 3650 -subj '/O=Mi Casa/CN=MiCA' -keyout ca.key -out ca.crt 2>/dev/null`;

function foreign(folder: string, passphrase: string | null = null) {
  const file = (name: string) => ({ file: path.join(folder, name), bytes: fs.readFileSync(path.join(folder, name)) });
  return { certificate: file('ca.crt'), key: file('ca.key'), passphrase, now };
}

test('the CA of a tutorial is taken over: its devices accept the broker, and come in until they are revoked', async t => {
  if (!present(t, 'openssl', 'version')) return;
  const folder = temporaryFolder(t);
  shell(opensslCa('-newkey rsa:2048 -nodes'), folder);
  shell(
    `openssl req -newkey rsa:2048 -nodes -subj /CN=sandboxclient -keyout client.key -out client.csr 2>/dev/null
     openssl x509 -req -in client.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 365 -out client.crt 2>/dev/null`,
    folder,
  );
  const [client] = certificatesOf(fs.readFileSync(path.join(folder, 'client.crt'), 'utf8'));
  const at = home(t);
  const { issuer, remarks } = readForeignCa(foreign(folder));
  assert.deepEqual(
    remarks.map(each => each.code),
    ['pki.ca-without-key-usage'],
  );
  await withRegistry(at, registry => adoptRoot(registry, issuer, true), { create: true });
  await refresh(at.folder);
  assert.match(accepts(at.folder, path.join(folder, 'ca.crt')), /: OK/);
  assert.match(accepts(at.folder, path.join(folder, 'ca.crt'), 'server-rsa'), /: OK/);
  assert.equal(letsIn(at.folder, client!), null);
  await withRegistry(at, async registry => registry.revoke([client!.serialNumber], 'lost'));
  assert.match(letsIn(at.folder, client!) ?? '', /revoked/);
});

test('an encrypted key is read with its passphrase, and refused without', async t => {
  if (!present(t, 'openssl', 'version')) return;
  const folder = temporaryFolder(t);
  shell(`openssl genrsa -des3 -passout pass:secret -out ca.key 2048 2>/dev/null
    openssl req -new -x509 -days 3650 -subj /CN=mqtt_ca -key ca.key -passin pass:secret -out ca.crt`, folder); // prettier-ignore
  assert.throws(() => readForeignCa(foreign(folder)), code('pki.passphrase'));
  assert.throws(() => readForeignCa(foreign(folder, 'wrong')), code('pki.passphrase'));
  const { issuer } = readForeignCa(foreign(folder, 'secret'));
  const at = home(t);
  await withRegistry(at, registry => adoptRoot(registry, issuer, false), { create: true });
  assert.equal(fs.existsSync(authorityFiles(at.folder).rootKey), false, 'a key with a passphrase is not kept without');
  assert.match(accepts((await refresh(at.folder), at.folder), path.join(folder, 'ca.crt')), /: OK/);
});

const refusals: [why: string, make: string, code: string][] = [
  ['RSA with 1024 bits', opensslCa('-newkey rsa:1024 -nodes'), 'pki.ca-weak'],
  [
    'a server certificate',
    `${opensslCa('-newkey rsa:2048 -nodes -addext basicConstraints=critical,CA:FALSE')}`,
    'pki.not-a-ca',
  ],
  ['a CA that may not sign', opensslCa('-newkey rsa:2048 -nodes -addext keyUsage=cRLSign'), 'pki.not-a-ca'],
  [
    'the key of another CA',
    `${opensslCa('-newkey rsa:2048 -nodes')}; openssl genrsa -out ca.key 2048 2>/dev/null`,
    'pki.key-mismatch',
  ],
  [
    'a CA without room below it',
    opensslCa('-newkey rsa:2048 -nodes -addext basicConstraints=critical,CA:TRUE,pathlen:0'),
    'pki.ca-path-length',
  ],
  ['one that ends in days', opensslCa('-newkey rsa:2048 -nodes').replace('-days 3650', '-days 20'), 'pki.ca-dates'],
  ['swapped files', `${opensslCa('-newkey rsa:2048 -nodes')}; mv ca.crt x; mv ca.key ca.crt; mv x ca.key`, 'pki.no-certificate'],
]; // prettier-ignore

for (const [why, make, wanted] of refusals) {
  test(`not taken over, with the reason: ${why}`, t => {
    if (!present(t, 'openssl', 'version')) return;
    const folder = temporaryFolder(t);
    shell(make, folder);
    assert.throws(
      () => readForeignCa(foreign(folder)),
      (error: unknown) => {
        assert.ok(error instanceof PkiError);
        assert.equal(error.finding.code, wanted, error.finding.saw);
        return error.finding.remedy.length > 0;
      },
    );
  });
}
