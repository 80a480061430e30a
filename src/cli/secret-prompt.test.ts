import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SecretPrompt } from './secret-prompt.ts';
import { recordedContext, scriptedInput } from './shared.test.ts';

async function ask(chunks: string[], isTerminal: boolean, again: string | null = null) {
  const context = recordedContext();
  const input = scriptedInput(chunks, isTerminal);
  const answer = await new SecretPrompt(context, input).ask('Password: ', again);
  return {
    answer: answer.ok ? answer.password.toString() : answer.because,
    echo: input.echo,
    printed: context.printed,
  };
}

test('without a terminal the answers are lines of standard input, however they are cut', async () => {
  assert.equal((await ask(['se', 'cret\nrest'], false)).answer, 'secret');
  assert.equal((await ask(['secret\r\n'], false)).answer, 'secret');
  assert.equal((await ask(['no newline'], false)).answer, 'no newline');
  assert.equal((await ask(['a\na\n'], false, 'Again: ')).answer, 'a');
  assert.equal((await ask(['a\nb\n'], false, 'Again: ')).answer, 'different');
});

test('an empty answer ends the matter before the question is repeated', async () => {
  const { answer, printed } = await ask(['\n'], false, 'Again: ');
  assert.deepEqual([answer, printed], ['empty', 'Password: ']);
  assert.equal((await ask([], false)).answer, 'empty');
});

test('a terminal shows nothing of what is typed, and has its echo back after every answer', async () => {
  const { answer, echo, printed } = await ask(['s', 'ecret\r', 'secret\r'], true, 'Again: ');
  assert.deepEqual([answer, echo, printed], ['secret', '-+-+', 'Password: \nAgain: \n']);
});

test('Backspace rubs out a whole character, Ctrl-U the line; Ctrl-D ends it', async () => {
  assert.equal((await ask(['añ\u007f\u007fb€\u0008c\r'], true)).answer, 'bc');
  assert.equal((await ask(['wrong\u0015right\u0004'], true)).answer, 'right');
  assert.equal((await ask(['\u007f\u007fx\r'], true)).answer, 'x');
});

test('Ctrl-C ends the question without an answer, and the echo is back', async () => {
  const { answer, echo } = await ask(['half\u0003'], true, 'Again: ');
  assert.deepEqual([answer, echo], ['interrupted', '-+']);
});
