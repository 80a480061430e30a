import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { temporaryFolder } from '../shared.test.ts';
import { readThrough } from './read-through.ts';

function conf(t: TestContext, text: string): string {
  const file = join(temporaryFolder(t), 'mosquitto.conf');
  writeFileSync(file, text);
  return file;
}

test('one look finds every fault of a configuration, each with its line', t => {
  const file = conf(
    t,
    'listener 1883 127.0.0.1\nmax_inflight_mesages 5\nallow_anonymous true\nvacation yes\nmax_qos 7\n',
  );
  const { settings, findings } = readThrough(file);
  assert.deepEqual(
    findings.map(({ code, where }) => [code, where]),
    [2, 4, 5].map(line => ['conf.refused', `${file}:${line}`]),
  );
  assert.match(findings[0]?.remedy.join() ?? '', /max_inflight_messages/);
  assert.equal(settings?.listeners[0]?.allowAnonymous, true);
  assert.equal(settings.path, file);
});

test('a line that opens something ends the reading instead of making faults of those below it', t => {
  const { settings, findings } = readThrough(conf(t, 'listener 99999\nmax_qos 1\n'));
  assert.equal(settings, null);
  assert.equal(findings.length, 1);
});

test('what is merely odd is said by its code', t => {
  const file = conf(
    t,
    'listener 8883\ntls_version tlsv1\nallow_anonymous\u00a0true\nstore_clean_interval 9\nnonsense 1\n',
  );
  const { findings } = readThrough(file);
  const expected = ['conf.odd-blanks', 'conf.option-gone', 'conf.refused', 'conf.tls-version-obsolete'];
  assert.deepEqual(findings.map(each => each.code).sort(), expected);
  assert.ok(
    findings.every(each => each.where.startsWith(`${file}:`)),
    JSON.stringify(findings),
  );
});

test('a file that is not there is one finding', () => {
  const { settings, findings } = readThrough('/nowhere/mosquitto.conf');
  assert.equal(settings, null);
  assert.deepEqual(findings.map(each => each.where), ['/nowhere/mosquitto.conf']);
}); // prettier-ignore
