import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run } from '../completion.ts';
import { pages } from '../pages.ts';
import { recordedContext } from '../shared.test.ts';
import { wordsOf } from './words.ts';

async function completion(...args: string[]) {
  const context = recordedContext();
  const code = await run(args, context);
  return { code, printed: context.printed, complained: context.complained };
}

test('each script knows every command, option and fixed word', async () => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { code, printed } = await completion(shell);
    assert.equal(code, 0);
    for (const { command, options, paths } of pages.map(wordsOf)) {
      const long = options.flatMap(row => (row.long === undefined ? [] : [row.long.slice(2)]));
      const words = [...paths.values()].flat().map(choice => choice.word);
      for (const word of [command, ...long, ...words]) assert.ok(printed.includes(word), `${word} in ${shell}`);
    }
  }
});

test('fixed words are found in front of a usage, by the path that leads to them', () => {
  const { paths } = wordsOf({
    command: 'c',
    summary: '',
    usage: ['add NAME', '[-a] b', '{x | y}'],
    about: [],
    options: [],
    operands: [
      { name: 'FILE', completes: 'file', says: '' },
      { name: 'run', says: 'Run.' },
    ],
    chapters: [
      {
        title: 't',
        rows: [
          { usage: 'issue server <name>', says: 'Server.' },
          { usage: 'issue client', says: '' },
        ],
      },
    ],
    exitCodes: [],
  });
  assert.deepEqual(Object.fromEntries(paths), {
    c: [
      { word: 'add', says: '' },
      { word: 'run', says: 'Run.' },
      { word: 'issue', says: '' },
    ],
    'c issue': [
      { word: 'server', says: 'Server.' },
      { word: 'client', says: '' },
    ],
  });
});

test('a shell that there is no script for is named, with those that there are', async () => {
  assert.deepEqual(await completion('tcsh'), {
    code: 1,
    printed: '',
    complained: "Error: No script for 'tcsh'.\n  There are bash, zsh, fish.\n",
  });
  assert.match((await completion()).complained, /^Error: No shell named\.\n/);
  assert.match((await completion('--help')).printed, /^Usage: zancudo completion \{bash/m);
});
