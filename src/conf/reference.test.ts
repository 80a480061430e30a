import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { optionRows } from './options/table.ts';
import { optionsReference } from './reference.ts';

test('docs/reference/options.md is what the table says (node scripts/reference.ts writes it)', () => {
  const page = readFileSync(new URL('../../docs/reference/options.md', import.meta.url), 'utf8');
  assert.equal(page, optionsReference());
});

test('every option has its place on the page, with default, scope, reload and fate', () => {
  const page = optionsReference();
  for (const { name } of optionRows) {
    const section = page.split(`### \`${name}\``)[1]?.split('###')[0] ?? '';
    for (const fact of ['Default', 'Belongs to', 'SIGHUP', 'Mosquitto', 'Here']) {
      assert.match(section, new RegExp(`\\*\\*${fact}:\\*\\* \\S`), name);
    }
  }
});
