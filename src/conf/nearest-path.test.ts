import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { nearestExistingPath } from './nearest-path.ts';
import { file, folder } from './shared.test.ts';

const certificate = file('', 'mosquitto/certs/mqtt_ca.crt');
file('', 'mosquitto/ca_certificates/README');
const home = join(folder, 'mosquitto');

test('a path that exists has nothing to explain', () => {
  assert.equal(nearestExistingPath(certificate), null);
  assert.equal(nearestExistingPath(home), null);
});

test('a misspelt directory is named, with the one it resembles and the file that is meant', () => {
  const path = `${home}/ca_cetificates/mqtt_ca.crt`;
  const found = nearestExistingPath(path);
  assert.deepEqual(found, {
    existing: home,
    missing: 'ca_cetificates',
    similar: ['ca_certificates'],
    candidates: [certificate],
    lines: [
      `'${path}' is not there: '${home}' exists, but has no 'ca_cetificates'.`,
      `There is '${home}/ca_certificates'.`,
      `Probably meant: '${certificate}'.`,
    ],
  });
});

test('a file in another directory than the one given is found', () => {
  assert.deepEqual(nearestExistingPath(`${home}/ca_certificates/mqtt_ca.crt`)?.candidates, [certificate]);
});

test('a misspelt file is found beside the one given', () => {
  assert.deepEqual(nearestExistingPath(`${home}/certs/mqtt_ca.cert`)?.candidates, [certificate]);
});

test('a comment behind a path is pointed out', () => {
  const lines = nearestExistingPath(`${certificate} # our CA`)?.lines.join('\n') ?? '';
  assert.match(lines, /A # behind a path is part of the path/);
  assert.match(lines, new RegExp(`Probably meant: '${certificate}'`));
});

test('where nothing is near, only the break is named', () => {
  const found = nearestExistingPath('/zancudo-example/none/at.all');
  assert.deepEqual([found?.existing, found?.missing, found?.candidates], ['/', 'zancudo-example', []]);
});
