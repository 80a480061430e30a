import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadConfiguration } from './load.ts';
import { byLetters } from './read.ts';
import { failureOf, file, folder, load, messagesOf, settingsOf } from './shared.test.ts';

test('blanks that a web page left behind are read as spaces, and one warning lists their lines', () => {
  const content =
    'listener\u00a08883\n\tallow_anonymous\ttrue\nmax_connections\u00a0\u00a05\u00a0\n\u3000sys_interval\u30003';
  const { listeners, sysIntervalSeconds } = settingsOf(content);
  assert.deepEqual([listeners[0]?.port, listeners[0]?.maxConnections, sysIntervalSeconds], [8883, 5, 3]);
  const messages = messagesOf(content);
  assert.ok(
    messages.includes(
      'warning: FILE:1,3: found a non-breaking space (U+00A0) where Mosquitto wants a space; read as a space.',
    ),
    messages.join('\n'),
  );
  assert.ok(messages.some(text => text.startsWith('warning: FILE:2: found a TAB')));
  assert.ok(messages.some(text => text.startsWith('warning: FILE:4: found an ideographic space')));
});

test('spaces, empty lines, CRLF and comments at the start of a line pass without a word', () => {
  const content = '# a\r\n\r\n   \n  listener   1883   \r\nmax_qos 1 # one\n';
  assert.deepEqual(messagesOf(content), []);
  assert.equal(settingsOf(content).listeners[0]?.maxQos, 1);
});

test('an indented comment is passed over with a warning', () => {
  assert.deepEqual(messagesOf('listener 1\n   # note\n\t#\n'), [
    'warning: FILE:2,3: found a comment that does not begin at the start of its line, which Mosquitto refuses; passed over.',
  ]);
});

test('a byte order mark is passed over with a warning; UTF-16 is refused with the remedy', () => {
  assert.match(messagesOf('\ufefflistener 1').join(), /FILE:1: found a byte order mark/);
  const { lines, explanation } = failureOf(Buffer.from('\ufefflistener 1', 'utf16le'));
  assert.deepEqual(lines, ['Error: Malformed UTF-8 in configuration.', 'Error found at FILE:1.']);
  assert.match(explanation.join(), /UTF-16.*Save it as UTF-8/);
});

test('a value that is not UTF-8 is refused where it stands, in a comment it is nobody\u2019s business', () => {
  const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
  assert.deepEqual(failureOf(bytes('listener 1\npid_file /tmp/\xe9')).lines, [
    'Error: Malformed UTF-8 in configuration.',
    'Error found at FILE:2.',
  ]);
  assert.ok(load(bytes('# caf\xe9\nlistener 1 # \xe9\n')).ok);
});

test('what stands behind a number or a word and is no comment is named', () => {
  assert.deepEqual(messagesOf('listener 1\nallow_anonymous true or false'), [
    "warning: FILE:2: 'or false' behind 'allow_anonymous' means nothing and is passed over.",
  ]);
});

test('free text takes the whole line: spaces inside stay, # is part of it', () => {
  assert.equal(settingsOf('user  a b #c  ').user, 'a b #c');
});

test('files of include_dir come letter by letter, ignoring case, upper case first on a tie', () => {
  const names = ['b.conf', 'a.conf', '01.conf', 'B.conf', 'A.conf', '00.conf', 'ab.conf', 'aA.conf', 'Ab.conf'];
  const sorted = ['00.conf', '01.conf', 'A.conf', 'Ab.conf', 'a.conf', 'aA.conf', 'ab.conf', 'B.conf', 'b.conf'];
  assert.deepEqual(names.sort(byLetters), sorted);
});

/** A directory of files, and a main file that includes it in the middle. */
function including(files: Record<string, string>, above = '', below = ''): { main: string; directory: string } {
  const directory = join(folder, `conf.d-${Object.keys(files).join('')}-${above.length}-${below.length}`);
  mkdirSync(directory);
  for (const [name, content] of Object.entries(files)) file(content, join(directory.slice(folder.length), name));
  return { main: file(`${above}include_dir ${directory}\n${below}`), directory };
}

test('include_dir reads *.conf in order, says so, and leaves other files alone', () => {
  const { main, directory } = including({
    'b.conf': 'user second',
    'a.conf': 'user first',
    '.conf': '?',
    'c.txt': '?',
  });
  const result = loadConfiguration(main, { ports: [] });
  assert.ok(result.ok);
  assert.equal(result.settings.user, 'second');
  assert.deepEqual(
    result.messages.filter(({ as }) => as === 'information').map(({ text }) => text),
    [`Loading config file '${directory}/a.conf'`, `Loading config file '${directory}/b.conf'`],
  );
});

test('an included file begins without a listener, and the main file goes on with its own', () => {
  const closed = including({ 'x.conf': 'max_topic_alias 5' }, 'listener 1883\n');
  const failed = loadConfiguration(closed.main, { ports: [] });
  assert.ok(!failed.ok);
  assert.deepEqual(failed.failure.lines, [
    "Error: The 'max_topic_alias' option requires a listener to be defined first.",
    `Error found at '${closed.directory}/x.conf:1'.`,
    `Error found at ${closed.main}:2.`,
  ]);
  const open = including({ 'y.conf': 'listener 2000' }, 'listener 1883\n', 'max_topic_alias 5');
  const result = loadConfiguration(open.main, { ports: [] });
  assert.ok(result.ok);
  assert.deepEqual(
    result.settings.listeners.map(({ port, maxTopicAlias }) => [port, maxTopicAlias]),
    [
      [1883, 5],
      [2000, 10],
    ],
  );
});

test('an included file may not include, and a directory has to be there', () => {
  const { main, directory } = including({ 'nested.conf': `include_dir ${folder}` });
  const nested = loadConfiguration(main, { ports: [] });
  assert.ok(!nested.ok);
  assert.deepEqual(nested.failure.lines, [
    'Error: The include_dir option is only valid in the main configuration file.',
    `Error found at '${directory}/nested.conf:1'.`,
    `Error found at ${main}:1.`,
  ]);
  assert.deepEqual(failureOf('include_dir /nowhere/at/all').lines, [
    "Error: Unable to open include_dir '/nowhere/at/all'.",
    'Error found at FILE:1.',
  ]);
});

test('http_dir that is not there prints the place only, as in Mosquitto', () => {
  const { lines, explanation } = failureOf('listener 1\nhttp_dir /nowhere/at/all');
  assert.deepEqual(lines, ['Error found at FILE:2.']);
  assert.match(explanation.join(), /\/nowhere\/at\/all/);
});
