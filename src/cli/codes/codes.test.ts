import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { errorsPage } from './errors-page.ts';
import { codePages } from './mod.ts';
import { codesFor } from './search.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const isTable = (file: string): boolean => /base\/(codes|finding-codes)\.ts$|cli\/codes\//.test(file);
const sources = globSync('src/**/*.ts', { cwd: root })
  .filter(file => !file.endsWith('.test.ts') && !isTable(file))
  .map(file => ({ file, text: readFileSync(`${root}/${file}`, 'utf8') }));

test('docs/reference/errors.md says what the table says (node scripts/reference-errors.ts writes it)', () => {
  assert.ok(readFileSync(`${root}/docs/reference/errors.md`, 'utf8') === errorsPage(), 'out of date');
});

test('every code has its page, and its page is in the reference', () => {
  const page = errorsPage();
  for (const code of Object.keys(codePages)) assert.ok(page.includes(`| \`${code}\` |`), code);
});

test('every code of the table is used somewhere in the sources', () => {
  const all = sources.map(({ text }) => text).join('\n');
  const made = [...all.matchAll(/`([a-z]+\.)\$\{/g)].map(match => match[1] as string);
  const unused = Object.keys(codePages).filter(
    code => !all.includes(`'${code}'`) && !made.some(beginning => code.startsWith(beginning)),
  );
  assert.deepEqual(unused, []);
});

test('every code of a finding, a client error or a line of the log is in the table', () => {
  const form = /\bcode: (?:[a-z]+ (?:===? [a-z]+ )?\? )?'([a-z]+\.[a-z0-9-]+)'(?: : '([a-z]+\.[a-z0-9-]+)')?/g;
  const unknown = sources.flatMap(({ file, text }) =>
    [...text.matchAll(form)]
      .flatMap(([, one, other]) => [one, other])
      .filter(code => code !== undefined && !Object.hasOwn(codePages, code))
      .map(code => `${file}: ${code}`),
  );
  assert.deepEqual(unknown, []);
});

test('every error, warning, notice and information of the log carries a code', () => {
  const bare = sources.flatMap(({ file, text }) =>
    callsOf(text)
      .filter(call => /^['(]*(as\b|'?(error|warning|notice|information)')/.test(call) && argumentsIn(call) < 3)
      .map(call => `${file}: write(${call.slice(0, 60)}`),
  );
  assert.deepEqual(bare, []);
});

/** What stands in the brackets of each `log.write(...)`. */
function callsOf(text: string): string[] {
  return [...text.matchAll(/\b[lL]og\.write\(\s*/g)].map(match => {
    const from = match.index + match[0].length;
    return text.slice(from, endOf(text, from));
  });
}

function endOf(text: string, from: number): number {
  let depth = 1;
  for (let at = from; at < text.length; at++) {
    if ('([{'.includes(text[at]!)) depth++;
    if (')]}'.includes(text[at]!) && --depth === 0) return at;
  }
  return text.length;
}

function argumentsIn(call: string): number {
  // Strings first, or a comma in a sentence would count.
  const bare = call.replace(/`(?:\\.|[^`\\])*`|'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"/g, 's');
  let [depth, count] = [0, 1];
  for (const character of bare.replace(/,\s*$/, '')) {
    if ('([{'.includes(character)) depth++;
    else if (')]}'.includes(character)) depth--;
    else if (character === ',' && depth === 0) count++;
  }
  return count;
}

test('help finds the code in a line of the log, and the likely ones where there is none', () => {
  assert.deepEqual(codesFor('1795301780:   10.0.0.5:41022 on port 8883: no. [tls.psk-unknown-identity]'), [
    'tls.psk-unknown-identity',
  ]);
  const line = 'OpenSSL Error while trying to get the error[0]: peer did not return a certificate';
  assert.ok(codesFor(line).includes('tls.no-client-certificate'));
  assert.deepEqual(codesFor('xyzzy'), []);
});
