import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { eventsPage } from './events-page.ts';

test('the reference page of the events says what the table says', () => {
  const page = readFileSync(new URL('../../../docs/reference/events.md', import.meta.url), 'utf8');
  assert.ok(page === eventsPage(), 'out of date: run node scripts/reference-events.ts');
});
