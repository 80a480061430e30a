import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { temporaryFolder } from '../shared.test.ts';
import { explainListeners } from './listeners.ts';
import { readThrough } from './read-through.ts';

function codes(t: TestContext, text: string): string[] {
  const file = join(temporaryFolder(t), 'mosquitto.conf');
  writeFileSync(file, text);
  const { settings } = readThrough(file);
  assert.ok(settings);
  return explainListeners(settings).map(each => each.code);
}

const tls = 'certfile c\nkeyfile k\n';

test('a door that is open to everybody is named where others can reach it, and not on the machine itself', t => {
  assert.deepEqual(codes(t, `listener 8883\n${tls}allow_anonymous true\n`), ['access.anonymous']);
  assert.deepEqual(codes(t, 'listener 1883 127.0.0.1\nallow_anonymous true\n'), []);
  assert.deepEqual(codes(t, 'listener 1883 ::1\nallow_anonymous true\n'), []);
  assert.deepEqual(codes(t, 'listener 0 /tmp/s.sock\nallow_anonymous true\n'), []);
});

test('clear text is named where others can reach it, also with a password', t => {
  assert.deepEqual(codes(t, 'listener 1883\npassword_file p\n'), ['listener.clear-text']);
  assert.deepEqual(codes(t, `listener 8883\n${tls}password_file p\n`), []);
});

test('a door that nobody gets through is an error: no password file, or certificates without a CA', t => {
  assert.deepEqual(codes(t, `listener 8883\n${tls}`), ['access.nobody']);
  const required = `listener 8883\n${tls}require_certificate true\nuse_identity_as_username true\n`;
  assert.deepEqual(codes(t, required), ['access.certificate-without-ca']);
  assert.deepEqual(codes(t, `${required}cafile a\n`), []);
});

test('a file without a listener serves this machine only, and that is said', t => {
  assert.deepEqual(codes(t, 'allow_anonymous true\n'), ['listener.local-only']);
});
