import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import test from 'node:test';
import { findProgram, run } from '../harness/mod.ts';

/** `npm run soak` takes twenty minutes and five thousand clients. */
const brief = ['--minutes', '0.1', '--clients', '60', '--quiet'];
const script = fileURLToPath(new URL('../../scripts/soak.ts', import.meta.url));

test('reloads, renewals, revocations, killed neighbours, cut lines and a full disk cost no acknowledged message', async () => {
  const { code, stdout, output } = await run(process.execPath, [script, ...brief], { withinMs: 180_000 });
  assert.equal(code, 0, output);
  const filled = process.getuid?.() === 0 && findProgram('unshare') !== null;
  const all = ['reload', 'device renewed', 'server renewed', 'device revoked', 'other broker killed', 'line cut'];
  for (const event of [...all, ...(filled && !stdout.includes('did not happen') ? ['disk full'] : [])]) {
    assert.match(stdout, new RegExp(`${event} [1-9]`));
  }
});
