import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { manName, manPage } from './man-page.ts';
import { pages } from './pages.ts';

const folder = new URL('../../docs/man/', import.meta.url);

test('the man pages say what the tables say, one for each command', () => {
  assert.deepEqual(readdirSync(folder).sort(), pages.map(page => `${manName(page)}.1`).sort());
  for (const page of pages) {
    const file = readFileSync(new URL(`${manName(page)}.1`, folder), 'utf8');
    assert.ok(file === manPage(page, pages), `${manName(page)}.1 is out of date: run node scripts/reference-man.ts`);
  }
});

test('no line of text is taken for a request of roff, and every backslash begins an escape that is meant', () => {
  const page = manPage(
    {
      command: 'x',
      summary: 'a\\b',
      usage: ['.dot'],
      about: ["'quoted' and ~ and -x"],
      options: [{ short: '-n', argument: 'N', says: '.5 of it' }],
      exitCodes: [],
    },
    [],
  );
  assert.match(page, /^zancudo\\-x \\- a\\eb$/m);
  assert.match(page, /^\\&\.dot$/m);
  assert.match(page, /^\\&'quoted' and \\\(ti and \\-x$/m);
  assert.match(page, /^\\fB\\-n\\fR \\fIN\\fR\n\\&\.5 of it$/m);
});
