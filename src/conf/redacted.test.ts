import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { optionRows } from './options/table.ts';
import { redactedConfiguration } from './redacted.ts';

const SECRET = 'hunter2-hunter2';

function redactedText(t: TestContext, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'zancudo-redacted-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'test.conf');
  writeFileSync(file, text);
  return redactedConfiguration(file).flatMap(({ lines }) => lines).join('\n'); // prettier-ignore
}

/** Names of files, addresses and the like cannot be told from secrets; these are never asked for one. */
const openTexts =
  /path|directory|file name|address|^name$|^host|topic|origin|interface|strftime|OpenSSL list|list of|^pattern|\[name\]/;

test('of every option that takes any text, a secret in its place is not shown', t => {
  const rows = optionRows.filter(({ type, name }) => !openTexts.test(type.argument) && name !== 'topic');
  assert.ok(rows.length > 100, 'the table has more options than that');
  const text = rows.map(({ name }) => `${name.replace('*', SECRET)} ${SECRET}\n`).join('');
  assert.doesNotMatch(redactedText(t, text), /hunter2/);
});

test('a password of digits is no number', t => {
  const names = ['remote_password', 'local_password', 'bridge_psk', 'bridge_identity', 'psk_hint', 'plugin_opt_pin'];
  const text = names.map(name => `${name} 00112233\n`).join('');
  assert.doesNotMatch(redactedText(t, text), /00112233/);
});

test('comments, unknown lines and what stands behind a value are not shown', t => {
  const text = `# ${SECRET}\n${SECRET} 1\nmax_qos 1 ${SECRET}\nremote_password ${SECRET}\nremote_passwort ${SECRET}\n`;
  assert.doesNotMatch(redactedText(t, text), /hunter2/);
});

test('numbers, switches, paths and ports are shown', t => {
  const text =
    'listener 8883 127.0.0.1\ntls_version tlsv1.3\nmax_queued_messages 500\nkeyfile /etc/server.key\nrequire_certificate true\n';
  assert.equal(
    redactedText(t, text),
    '1: listener 8883 127.0.0.1\n2: tls_version tlsv1.3\n3: max_queued_messages 500\n4: keyfile /etc/server.key\n5: require_certificate true',
  );
});
