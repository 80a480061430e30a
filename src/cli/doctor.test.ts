import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { run } from './doctor.ts';
import { recordedContext, temporaryFolder } from './shared.test.ts';

const now = Date.UTC(2026, 10, 21, 22, 50, 4);

async function doctor(...args: string[]) {
  const context = recordedContext();
  context.wall = () => now;
  const code = await run(args, context);
  return { code, printed: context.printed, complained: context.complained };
}

interface JsonReport {
  exitCode: number;
  mended: { says: string; copies: string[]; failure: string | null }[];
  findings: { code: string; severity: string; remedy: string[]; fix: { safe: boolean } | null }[];
}

async function json(...args: string[]): Promise<JsonReport> {
  return JSON.parse((await doctor(...args, '--json')).printed) as JsonReport;
}

function conf(t: TestContext, text: string): string {
  const file = join(temporaryFolder(t), 'mosquitto.conf');
  writeFileSync(file, text, { mode: 0o600 });
  return file;
}

test('a configuration with nothing wrong ends with 0, one with warnings with 1, one with errors with 3', async t => {
  assert.equal((await doctor(conf(t, 'listener 1883 127.0.0.1\nallow_anonymous true\n'))).code, 0);
  assert.equal((await doctor(conf(t, 'listener 1883\nallow_anonymous true\n'))).code, 1);
  assert.equal((await doctor(conf(t, 'listener 1883\n'))).code, 3);
});

test('--fix mends the safe things, keeps a copy of each file, and looks again', async t => {
  const text = 'listener 1883 127.0.0.1\ntls_version tlsv1\nallow_anonymous\u00a0true\nstore_clean_interval 9\n';
  const file = conf(t, text);
  const before = await json(file);
  assert.equal(before.exitCode, 1);
  assert.ok(before.findings.every(each => each.fix?.safe === true));
  const after = await json(file, '--fix');
  assert.deepEqual(after.findings, []);
  const mended = 'listener 1883 127.0.0.1\ntls_version tlsv1.2\nallow_anonymous true\n# store_clean_interval 9\n';
  assert.equal(readFileSync(file, 'utf8'), mended);
  const [first = ''] = after.mended.flatMap(each => each.copies);
  assert.equal(readFileSync(first, 'utf8'), text);
});

test('what might stop something from working is not done without being asked', async t => {
  const file = conf(t, 'listener 1883 127.0.0.1\nallow_anonymous true\nmax_inflight_mesages 5\n');
  const [finding] = (await json(file)).findings;
  assert.equal(finding?.fix?.safe, false);
  const after = await json(file, '--fix', '--yes');
  assert.deepEqual(after.findings, []);
  assert.match(readFileSync(file, 'utf8'), /^max_inflight_messages 5$/m);
});

test('a misspelt path is answered with the nearest existing one, and mended so', async t => {
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, 'certs'));
  const passwords = join(folder, 'certs', 'mqttpass');
  writeFileSync(passwords, 'u:$7$101$AAAA$AAAA\n', { mode: 0o600 });
  const file = join(folder, 'a.conf');
  writeFileSync(file, `listener 1883 127.0.0.1\npassword_file ${join(folder, 'cert', 'mqttpass')}\n`);
  const [finding] = (await json(file)).findings;
  assert.equal(finding?.code, 'file.missing');
  assert.match(finding.remedy.join('\n'), new RegExp(passwords));
  await json(file, '--fix', '--yes');
  assert.match(readFileSync(file, 'utf8'), new RegExp(`^password_file ${passwords}$`, 'm'));
});

test('passwords in the clear and a file of them that all may read are named and mended', async t => {
  const folder = temporaryFolder(t);
  const passwords = join(folder, 'passwords');
  writeFileSync(passwords, 'lamp:secret\n');
  chmodSync(passwords, 0o644);
  const file = join(folder, 'a.conf');
  writeFileSync(file, `listener 1883 127.0.0.1\npassword_file ${passwords}\n`);
  const before = await json(file);
  const codes = before.findings.map(each => each.code).filter(code => code !== 'tls.file-forbidden');
  assert.deepEqual(codes.sort(), ['access.passwords-in-the-clear', 'file.open-to-others']);
  const after = await json(file, '--fix', '--yes');
  assert.ok(after.mended.every(each => each.failure === null));
  assert.match(readFileSync(passwords, 'utf8'), /^lamp:\$/m);
  assert.equal(statSync(passwords).mode & 0o007, 0);
});

test('copies that the doctor kept are not looked at again', async t => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'sub.sh'), '#!/bin/sh\nmosquitto_sub --insecure -t x\n');
  await json(folder, '--fix', '--yes');
  assert.equal(readdirSync(folder).length, 2);
  assert.deepEqual((await json(folder)).findings, []);
});

test('a clock that is before any certificate is an error by itself', async t => {
  const file = conf(t, 'listener 1883 127.0.0.1\nallow_anonymous true\n');
  const context = recordedContext();
  context.wall = () => 0;
  assert.equal(await run([file], context), 3);
  assert.match(context.printed, /clock of this machine/);
});

test('mistakes on the command line end with 2, and a target that is not there is said', async () => {
  assert.equal((await doctor('--conect', 'x')).code, 2);
  assert.equal((await doctor('a', 'b')).code, 2);
  assert.equal((await doctor('--connect', 'a b')).code, 2);
  assert.equal((await doctor('--yes')).code, 2);
  const gone = await doctor('/nowhere/at/all');
  assert.equal(gone.code, 3);
  assert.match(gone.complained, /no such file or folder/);
  assert.ok(!existsSync('/nowhere'));
});

test('what is no file is not waited for, and symbolic links are followed', async t => {
  const folder = temporaryFolder(t);
  const script = join(temporaryFolder(t), 'sub.sh');
  writeFileSync(script, '#!/bin/sh\nmosquitto_sub --insecure -t x\n');
  symlinkSync(script, join(folder, 'link.sh'));
  assert.equal((await json(folder)).findings.length, 1);
  const { code, complained } = await doctor('/dev/null');
  assert.equal(code, 3);
  assert.match(complained, /neither a file nor a folder/);
});
