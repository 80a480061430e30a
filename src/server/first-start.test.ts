import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import type { X509Certificate } from 'node:crypto';
import { argon2Sync, createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { certificatesOf, diskStore, factsOf, type FileStore, PkiError } from '../pki/mod.ts';
import { bannerLines } from './banner.ts';
import { defaultHome, prepareHome, refreshHome, type Home } from './first-start.ts';

const day = 86_400_000;

function temporaryFolder(t: TestContext): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'zancudo-home-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  return path.join(folder, 'home');
}

function filesOf(folder: string): Map<string, string> {
  const names = fs.readdirSync(folder, { recursive: true, withFileTypes: true }).filter(each => each.isFile());
  const hash = (file: string) => createHash('sha256').update(fs.readFileSync(file)).digest('hex');
  return new Map(
    names
      .map(each => path.join(each.parentPath, each.name))
      .sort()
      .map(file => [file, hash(file)]),
  );
}

function leafOf(file: string): X509Certificate {
  const [leaf] = certificatesOf(fs.readFileSync(file, 'utf8'));
  assert.ok(leaf);
  return leaf;
}

function passwordFits({ passwordFile, user, password }: Home): boolean {
  const line =
    fs
      .readFileSync(passwordFile, 'utf8')
      .split('\n')
      .find(each => each.startsWith(`${user}:`)) ?? '';
  const [, memory = '', passes = '', lanes = '', salt = '', digest = ''] =
    /\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([^$]+)\$([^$]+)$/.exec(line) ?? [];
  const tag = Buffer.from(digest, 'base64');
  const made = argon2Sync('argon2id', {
    message: Buffer.from(password ?? ''),
    nonce: Buffer.from(salt, 'base64'),
    memory: Number(memory),
    passes: Number(passes),
    parallelism: Number(lanes),
    tagLength: tag.length,
  });
  return made.equals(tag);
}

/** Everything a broker and its clients need is there and fits together. */
function assertWhole(home: Home): void {
  const root = leafOf(home.cafile);
  for (const name of ['server', 'server-rsa']) {
    const file = path.join(home.folder, 'server', `${name}.crt`);
    const [leaf, issuing] = certificatesOf(fs.readFileSync(file, 'utf8'));
    assert.ok(leaf?.verify(issuing!.publicKey), `${name}: signed by its issuing CA`);
    assert.ok(issuing?.verify(root.publicKey), `${name}: which the root signed`);
  }
  assert.ok(fs.readFileSync(home.configFile, 'utf8').includes(home.passwordFile));
  assert.ok(fs.readFileSync(home.passwordFile, 'utf8').startsWith('zancudo:$argon2id$'));
}

test('the first start makes a home whose certificates cover every name and address of the machine', async t => {
  const home = await prepareHome(temporaryFolder(t), { extraNames: ['mqtt.example.org', '203.0.113.7'] });
  assertWhole(home);
  const addresses = Object.values(os.networkInterfaces()).flatMap(each => (each ?? []).map(({ address }) => address));
  const host = os.hostname().split('.')[0]?.toLowerCase() ?? '';
  for (const name of ['server', 'server-rsa']) {
    const leaf = leafOf(path.join(home.folder, 'server', `${name}.crt`));
    for (const dns of ['localhost', host, `${host}.local`, 'mqtt.example.org']) assert.ok(leaf.checkHost(dns), dns);
    for (const ip of ['127.0.0.1', '::1', '203.0.113.7', ...addresses]) assert.ok(leaf.checkIP(ip), ip);
  }
  assert.equal(factsOf(leafOf(path.join(home.folder, 'server', 'server.crt'))).key.curve, 'prime256v1');
  assert.equal(factsOf(leafOf(path.join(home.folder, 'server', 'server-rsa.crt'))).key.bits, 2048);
});

test('everything in the home is for its owner alone', async t => {
  const home = await prepareHome(temporaryFolder(t));
  const entries = fs.readdirSync(home.folder, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    const mode = fs.statSync(path.join(entry.parentPath, entry.name)).mode & 0o777;
    assert.equal(mode, entry.isDirectory() ? 0o700 : 0o600, entry.name);
  }
  assert.equal(fs.statSync(home.folder).mode & 0o777, 0o700);
});

test('a home that others may look into is reported', async t => {
  const folder = temporaryFolder(t);
  await prepareHome(folder);
  fs.chmodSync(folder, 0o755);
  const { findings } = await prepareHome(folder);
  assert.deepEqual(
    findings.map(each => each.code),
    ['home.open-to-others'],
  );
});

test('the settings open TLS listeners only, and nobody is anonymous', async t => {
  const home = await prepareHome(temporaryFolder(t), { ports: { mqtt: 18883, websockets: 18884 } });
  const lines = fs.readFileSync(home.configFile, 'utf8').split('\n');
  assert.ok(lines.includes('allow_anonymous false'));
  const listeners = lines
    .join('\n')
    .split(/^listener /m)
    .slice(1);
  assert.equal(listeners.length, 2);
  for (const listener of listeners) {
    for (const option of ['certfile', 'keyfile', 'certfile_rsa', 'keyfile_rsa']) {
      const file = new RegExp(`^${option} (.*)$`, 'm').exec(listener)?.[1] ?? '';
      assert.ok(fs.existsSync(file), `${option} ${file}`);
    }
  }
  assert.match(listeners[0] ?? '', /^18883\n/);
  assert.match(listeners[1] ?? '', /^18884\nprotocol websockets\n/);
});

test('the password is shown once and the hash fits it', async t => {
  const folder = temporaryFolder(t);
  const home = await prepareHome(folder);
  const password = home.password ?? '';
  assert.match(password, /^([a-z2-9]{5}-){3}[a-z2-9]{5}$/);
  assert.ok(passwordFits(home));
  const banner = bannerLines(home).join('\n');
  assert.ok(banner.includes(`mosquitto_sub -h localhost -p 8883 --cafile ${home.cafile} -u zancudo -P ${password} `));
  assert.ok(banner.includes(home.caFingerprint));
  assert.ok(!banner.includes('insecure'));
  home.announced();
  const again = await prepareHome(folder);
  assert.equal(again.password, null);
  assert.ok(!bannerLines(again).join('\n').includes(password));
});

test('a password that nobody saw is replaced by the next start', async t => {
  const folder = temporaryFolder(t);
  const first = await prepareHome(folder);
  const second = await prepareHome(folder);
  assert.notEqual(second.password, null);
  assert.notEqual(second.password, first.password);
  assert.ok(passwordFits(second));
});

test('the second start changes nothing', async t => {
  const folder = temporaryFolder(t);
  (await prepareHome(folder)).announced();
  const before = filesOf(folder);
  const home = await prepareHome(folder);
  assert.deepEqual(filesOf(folder), before);
  assert.deepEqual(home.findings, []);
  assert.equal((await refreshHome(home)).renewed, false);
});

test('a start with nothing to issue never loads the certificate library', async t => {
  const folder = temporaryFolder(t);
  (await prepareHome(folder)).announced();
  const script = `
    const { prepareHome } = await import(${JSON.stringify(import.meta.resolve('./first-start.ts'))});
    await prepareHome(${JSON.stringify(folder)});
    const { createRequire } = await import('node:module');
    const loaded = Object.keys(createRequire(import.meta.url).cache).filter(each => each.includes('peculiar'));
    console.log('loaded', loaded.length, 'Reflect.getMetadata' in globalThis || 'getMetadata' in Reflect);`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  assert.equal(stdout.trim(), 'loaded 0 false', stderr);
});

test('a certificate that ends within 30 days is renewed with its key kept', async t => {
  const folder = temporaryFolder(t);
  const home = await prepareHome(folder);
  home.announced();
  const before = filesOf(folder);
  assert.equal((await refreshHome(home, { now: () => Date.now() + 366 * day })).renewed, false);
  const later = Date.now() + 369 * day;
  assert.equal((await refreshHome(home, { now: () => later })).renewed, true);
  const after = filesOf(folder);
  const changed = [...after].filter(([file, hash]) => before.get(file) !== hash).map(([file]) => path.basename(file));
  assert.deepEqual(changed, ['server-rsa.crt', 'server.crt']);
  assert.ok(leafOf(path.join(folder, 'server', 'server.crt')).validToDate.getTime() > later + 300 * day);
});

test('a new name or address of the machine renews the certificates', async t => {
  const folder = temporaryFolder(t);
  const home = await prepareHome(folder);
  assert.equal((await refreshHome(home, { extraNames: ['198.51.100.9'] })).renewed, true);
  assert.ok(leafOf(path.join(folder, 'server', 'server.crt')).checkIP('198.51.100.9'));
  assert.equal((await refreshHome(home)).renewed, false, 'a name that is gone does not');
});

test('settings and users of the owner are never touched', async t => {
  const folder = temporaryFolder(t);
  const home = await prepareHome(folder);
  home.announced();
  fs.writeFileSync(home.configFile, '# mine\nlistener 8883\npassword_file /elsewhere\n');
  fs.rmSync(home.passwordFile);
  const again = await prepareHome(folder);
  assert.equal(fs.readFileSync(home.configFile, 'utf8'), '# mine\nlistener 8883\npassword_file /elsewhere\n');
  assert.equal(again.password, null);
  assert.equal(fs.existsSync(home.passwordFile), false);
});

test('with the password file gone, the next start makes a new first user', async t => {
  const folder = temporaryFolder(t);
  const home = await prepareHome(folder);
  home.announced();
  fs.rmSync(home.passwordFile);
  const again = await prepareHome(folder);
  assert.notEqual(again.password, null);
  assert.ok(passwordFits(again));
});

test('a root that was moved away is not missed until it is needed, and then never replaced', async t => {
  const folder = temporaryFolder(t);
  (await prepareHome(folder)).announced();
  const away = `${folder}-root`;
  fs.renameSync(path.join(folder, 'root'), away);
  const home = await prepareHome(folder);
  assert.deepEqual(home.findings, []);
  const late = await refreshHome(home, { now: () => Date.now() + 5300 * day });
  assert.deepEqual(
    late.findings.map(each => each.code),
    ['pki.root-needed'],
  );
  fs.rmSync(path.join(folder, 'ca', 'issuing.key'));
  await assert.rejects(prepareHome(folder), (error: unknown) => {
    assert.ok(error instanceof PkiError);
    assert.equal(error.finding.code, 'pki.key-away');
    return true;
  });
  fs.renameSync(away, path.join(folder, 'root'));
  const mended = await prepareHome(folder);
  assertWhole(mended);
  assert.equal(mended.caFingerprint, home.caFingerprint);
});

test('a certificate from elsewhere is left alone, and reported before it ends', async t => {
  const folder = temporaryFolder(t);
  const home = await prepareHome(folder);
  home.announced();
  const foreign = path.join(folder, 'server', 'server.crt');
  fs.copyFileSync(home.cafile, foreign);
  const before = filesOf(folder);
  assert.deepEqual((await refreshHome(home, { extraNames: ['other.example.org'] })).findings, []);
  assert.equal(filesOf(folder).get(foreign), before.get(foreign));
  const late = await refreshHome(home, { now: () => Date.now() + 7290 * day });
  assert.ok(late.findings.some(each => each.code === 'pki.foreign-certificate-ends'));
});

class PowerCut extends Error {}

/** Writes `writes` files, then stops for good. */
function storeWithPowerCut(writes: number): FileStore {
  let left = writes;
  const write = (file: string, text: string) => {
    if (left-- === 0) throw new PowerCut();
    diskStore.write(file, text);
  };
  return { ...diskStore, write };
}

/** Keeps a copy of the home as it is in the middle of every write: what a power cut would have left. */
function storeWithSnapshots(home: string): FileStore & { snapshots: string[] } {
  const snapshots: string[] = [];
  const snap = (file?: string) => {
    if (!fs.existsSync(home)) return;
    const copy = `${home}-${snapshots.length}`;
    fs.cpSync(home, copy, { recursive: true });
    if (file) fs.writeFileSync(`${copy}${file.slice(home.length)}.tmp-1`, 'half a fi');
    snapshots.push(copy);
  };
  return {
    snapshots,
    makeFolder: folder => (snap(), diskStore.makeFolder(folder)),
    write: (file, text) => (snap(file), diskStore.write(file, text)),
    remove: file => (snap(), diskStore.remove(file)),
  };
}

test('a power cut in the middle of any write of the first start is mended by the next', async t => {
  const folder = temporaryFolder(t);
  const store = storeWithSnapshots(folder);
  (await prepareHome(folder, { store })).announced();
  assert.ok(store.snapshots.length > 12, `${store.snapshots.length} writes`);
  for (const snapshot of store.snapshots) {
    fs.rmSync(folder, { recursive: true });
    fs.renameSync(snapshot, folder);
    const anchor = path.join(folder, 'ca.crt');
    const given = fs.existsSync(anchor) ? leafOf(anchor).fingerprint256 : null;
    const home = await prepareHome(folder);
    assertWhole(home);
    if (given !== null) assert.equal(home.caFingerprint, given, 'a CA that may have been given out stays');
    assert.ok(passwordFits(home), 'until it was shown, the password is made again');
    assert.deepEqual(
      [...filesOf(folder).keys()].filter(each => /\.tmp-|lock$/.test(each)),
      [],
    );
  }
});

test('a power cut before any write of a renewal leaves a home that works', async t => {
  const folder = temporaryFolder(t);
  const home = await prepareHome(folder);
  home.announced();
  const now = () => Date.now() + 380 * day;
  for (const steps of [0, 1]) {
    await assert.rejects(refreshHome(home, { now, store: storeWithPowerCut(steps) }), PowerCut);
    assertWhole(home);
  }
  assert.equal((await refreshHome(home, { now })).renewed, true);
  assertWhole(home);
});

test('two first starts at once end in one home', async t => {
  const folder = temporaryFolder(t);
  const homes = await Promise.all([prepareHome(folder), prepareHome(folder)]);
  assert.equal(homes[0].caFingerprint, homes[1].caFingerprint);
  assertWhole(homes[1]);
  assert.ok(passwordFits(homes[1]));
});

test('a clock that says 1970 does not make certificates that have expired by the time it is set', async t => {
  const home = await prepareHome(temporaryFolder(t), { now: () => 0 });
  assert.ok(leafOf(home.cafile).validToDate.getTime() > Date.UTC(2040, 0, 1));
});

test('a place that cannot be a home is explained', async t => {
  const folder = temporaryFolder(t);
  fs.writeFileSync(folder, 'a file');
  const finding = (error: unknown) => error instanceof PkiError && error.finding.remedy.join(' ').includes('--home');
  await assert.rejects(prepareHome(folder), finding);
  await assert.rejects(prepareHome(path.join(folder, 'below')), finding);
  await assert.rejects(prepareHome(`${folder}\nx`), finding);
});

test('ZANCUDO_HOME says where the home is', () => {
  assert.equal(defaultHome({ ZANCUDO_HOME: '/srv/z' }), '/srv/z');
  assert.equal(defaultHome({}), path.join(os.homedir(), '.zancudo'));
});
