import assert from 'node:assert/strict';
import fc from 'fast-check';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { loadConfiguration } from './load.ts';
import { optionNames, optionRows } from './options/table.ts';
import { file } from './shared.test.ts';

const path = file('');

/** Settings or a failure with a line to show; an exception fails the property. */
function ends(content: Uint8Array | string): void {
  writeFileSync(path, content);
  const result = loadConfiguration(path, { ports: [] });
  if (result.ok) assert.ok(result.settings.listeners.length > 0);
  else assert.ok(result.failure.lines.length > 0 && result.failure.exitCode > 0);
}

test('no sequence of bytes does anything but settings or a failure', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), ends), { numRuns: 500 });
});

const separators = fc.constantFrom(' ', '  ', '\t', '\u00a0', '', '\ufeff', '\u0000');
const names = fc.oneof(
  fc.constantFrom(...optionNames.map(name => name.replace('*', 'acl_file'))),
  fc.string({ maxLength: 12 }),
);
const samples = optionRows.flatMap(({ type }) => [...type.good, ...type.bad.map(({ text }) => text)]);
const values = fc.oneof(fc.constantFrom(...samples), fc.string({ unit: 'binary', maxLength: 20 }));
const line = fc.tuple(separators, names, separators, values).map(parts => parts.join(''));

test('no mixture of options, good and bad values and odd blanks does either', () => {
  const files = fc.array(line, { maxLength: 12 }).map(lines => lines.join('\n'));
  fc.assert(fc.property(files, ends), { numRuns: 1500 });
});
