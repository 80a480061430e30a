/** The table of clauses against the tests that stand beside it. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { clauses } from './clauses.ts';

/** Clause numbers in the test names of the files that begin so. */
function tested(prefix: string): Set<string> {
  const folder = new URL('.', import.meta.url);
  const files = readdirSync(folder).filter(name => name.startsWith(prefix) && name.endsWith('.test.ts'));
  const found = new Set<string>();
  for (const file of files) {
    const source = readFileSync(new URL(file, folder), 'utf8');
    for (const [, id] of source.matchAll(/['"`[]MQTT-([0-9][0-9.]*-[0-9]+)['"`\]]/g)) found.add(id!);
  }
  return found;
}

for (const version of ['mqtt5', 'mqtt311'] as const) {
  test(`every clause of ${version} has a test, or a reason why it has none`, () => {
    const seen = tested(version);
    const missing = clauses[version].filter(([id, , reason]) => reason === undefined && !seen.has(id));
    assert.deepEqual(
      missing.map(([id]) => id),
      [],
    );
  });

  test(`no clause of ${version} has both a test and a reason for having none`, () => {
    const seen = tested(version);
    const both = clauses[version].filter(([id, , reason]) => reason !== undefined && seen.has(id));
    assert.deepEqual(
      both.map(([id]) => id),
      [],
    );
  });

  test(`every clause number of ${version} in a test name is in the table, and there once`, () => {
    const known = clauses[version].map(([id]) => id);
    assert.deepEqual(
      [...tested(version)].filter(id => !known.includes(id)),
      [],
    );
    assert.equal(new Set(known).size, known.length);
  });
}
