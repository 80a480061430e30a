import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { run } from '../run.ts';
import { recordedContext } from '../shared.test.ts';

const rows = readFileSync(new URL('wrong-words.tsv', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .filter(line => !line.startsWith('#'))
  .map(line => line.split('\t') as [tool: string, words: string, line: string]);

test('all that can be wrong on the command line is told in the words of Mosquitto, and where to look, before anything is connected', async () => {
  for (const [tool, words, line] of rows) {
    const context = recordedContext();
    const args = words === '' ? [] : words.split(' ');
    assert.equal(await run([tool, ...args], context), 1, `${tool} ${words}`);
    const said = context.complained.trimStart().split('\n');
    assert.equal(said[0], line, `${tool} ${words}`);
    const help = `Use 'zancudo ${tool} --help' to see usage.`;
    const shows = said.includes(help) || said[1]?.startsWith('  ') || context.printed.startsWith('zancudo');
    assert.ok(shows, `${tool} ${words}: nothing says what to do:\n${context.complained}${context.printed}`);
  }
});

test('the table knows every tool, and most of their options', () => {
  assert.deepEqual([...new Set(rows.map(([tool]) => tool))], ['pub', 'sub', 'rr']);
  assert.ok(rows.length > 100, String(rows.length));
});
