import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { sysTopicsPage } from './sys-topics-page.ts';

test('the reference page of the $SYS topics says what the table says', () => {
  const page = readFileSync(new URL('../../docs/reference/sys-topics.md', import.meta.url), 'utf8');
  assert.ok(page === sysTopicsPage(), 'out of date: run node scripts/reference-sys.ts');
});
