import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { authorityFiles, diskRegistryStore, makeKey, withRegistry } from '../pki/mod.ts';
import { Forecast } from './forecast.ts';

const day = 86_400_000;

async function home(t: TestContext) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'zancudo-forecast-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  const now = Date.now();
  const at = { folder, store: diskRegistryStore, now };
  const key = await makeKey('ec');
  const lamp = { name: 'lamp', profile: 'device' as const, key, template: 'device' };
  await withRegistry(at, registry => registry.issueClients([lamp]), { create: true });
  return { folder, now };
}

function watched(folder: string, start: number) {
  const lines: string[] = [];
  const topics = new Map<string, string>();
  const { anchor, revoked } = authorityFiles(folder);
  const state = { now: start };
  const forecast = new Forecast({
    wall: () => state.now,
    log: { write: (_as, text) => void lines.push(text) },
    publish: (topic, payload) => void topics.set(topic, payload),
    listeners: () => [{ name: 'port 8883', files: { certificates: [], caFile: anchor, crlFile: revoked } }],
    home: folder,
  });
  const look = (days: number): string[] => {
    state.now = start + days * day;
    lines.length = 0;
    forecast.look();
    return [...lines];
  };
  return { look, topics };
}

test('a device is spoken of 30, 14, 7 and 1 days before its certificate ends, once each, with the command', async t => {
  const { folder, now } = await home(t);
  const { look } = watched(folder, now);
  const spoken: number[] = [];
  for (let at = 0; at < 89; at++) if (look(at).length > 0) spoken.push(at);
  assert.deepEqual(spoken, [59, 75, 82, 88]);
  const again = watched(folder, now);
  const lines = again.look(85);
  assert.match(lines[0] ?? '', /certificate of the device "CN=lamp" ends in 3 days, on .* UTC: lamp/);
  assert.match(lines[1] ?? '', /zancudo device renew lamp/);
});

test('what a listener lives by is told in $SYS, as days that are left', async t => {
  const { folder, now } = await home(t);
  const { look, topics } = watched(folder, now);
  assert.deepEqual(look(0), []);
  assert.equal(topics.get('$SYS/zancudo/certificates/devices/count'), '1');
  assert.equal(topics.get('$SYS/zancudo/certificates/devices/ending'), '0');
  assert.equal(topics.get('$SYS/zancudo/certificates/devices/days'), '88');
  assert.equal(topics.get('$SYS/zancudo/certificates/8883/ca/days'), '7298');
  look(70);
  assert.equal(topics.get('$SYS/zancudo/certificates/devices/ending'), '1');
});

test('a revocation list that ends is announced before it locks everybody out', async t => {
  const { folder, now } = await home(t);
  const { look } = watched(folder, now);
  const lines = look(5473 - 6);
  assert.ok(
    lines.some(line => /revocation list of .* ends in 6 days/.test(line)),
    lines.join('\n'),
  );
  assert.ok(lines.some(line => /no client with a certificate of that CA is let in/.test(line)));
});
