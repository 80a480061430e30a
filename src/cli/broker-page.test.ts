import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { brokerPage } from './broker-page.ts';

test('the reference page of the command line says what the tables say', () => {
  const page = readFileSync(new URL('../../docs/reference/command-line.md', import.meta.url), 'utf8');
  assert.ok(page === brokerPage(), 'out of date: run node scripts/reference-cli.ts');
});
