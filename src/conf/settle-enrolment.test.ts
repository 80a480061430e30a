import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { loadConfiguration } from './load.ts';

const tls = 'certfile a.crt\nkeyfile a.key\n';

function load(t: TestContext, text: string, home: string | null = null) {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'zancudo-conf-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(path.join(folder, 'c.conf'), text);
  return loadConfiguration(path.join(folder, 'c.conf'), { ports: [], home });
}

test('enrolment is off unless it is asked for, and then says where the CA is', t => {
  const off = load(t, `listener 8883\n${tls}request_certificate true\n`);
  assert.ok(off.ok);
  assert.deepEqual([off.settings.listeners[0]?.enrolment, off.settings.caHome], [false, null]);
  const on = load(t, `ca_home /srv/ca\nlistener 8883\n${tls}enrolment true\n`);
  assert.ok(on.ok);
  assert.deepEqual([on.settings.listeners[0]?.enrolment, on.settings.caHome], [true, '/srv/ca']);
});

test('in a home it is on where certificates are asked for, unless the file says no', t => {
  const text = `listener 8883\n${tls}request_certificate true\nlistener 8884\n${tls}protocol websockets\nlistener 1883\n`;
  const home = load(t, text, '/home/me');
  assert.ok(home.ok);
  assert.deepEqual(home.settings.listeners.map(each => each.enrolment), [true, false, false]); // prettier-ignore
  assert.equal(home.settings.caHome, '/home/me');
  const no = load(t, `listener 8883\n${tls}request_certificate true\nenrolment false\n`, '/home/me');
  assert.ok(no.ok);
  assert.equal(no.settings.listeners[0]?.enrolment, false);
});

const impossible: [text: string, remedy: RegExp][] = [
  ['ca_home /srv/ca\nlistener 1883\nenrolment true\n', /certfile and keyfile/],
  [`ca_home /srv/ca\nlistener 8884\n${tls}protocol websockets\nenrolment true\n`, /protocol mqtt/],
  [`listener 8883\n${tls}enrolment true\n`, /ca_home DIR/],
];
for (const [text, remedy] of impossible) {
  test(`where it cannot work the file is refused with the remedy: ${remedy.source}`, t => {
    const result = load(t, text);
    assert.ok(!result.ok);
    assert.match(result.failure.explanation.join('\n'), remedy);
    assert.match(result.failure.explanation.join('\n'), /c\.conf:\d+/);
  });
}
