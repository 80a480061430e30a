import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parsePasswdArguments } from './arguments.ts';

function command(...args: string[]) {
  const outcome = parsePasswdArguments(args);
  assert.ok(outcome.kind === 'run', JSON.stringify(outcome));
  return outcome.command;
}

function errorLine(...args: string[]): string {
  const outcome = parsePasswdArguments(args);
  return outcome.kind === 'error' ? outcome.line : outcome.kind;
}

test('without an option a user is set and the password is asked for; argon2id is the default', () => {
  const set = { task: 'set', file: 'f', user: 'u', password: null, hash: 'argon2id', iterations: null };
  assert.deepEqual(command('f', 'u'), set);
  assert.deepEqual(command('-b', 'f', 'u', 'p'), { ...set, password: 'p' });
});

test('-c, -D and -U choose the task; a file named - is standard output for -c alone', () => {
  assert.deepEqual([command('-c', 'f', 'u').task, command('-c', '-', 'u').file], ['create', null]);
  assert.deepEqual([command('-D', '-', 'u').task, command('-D', '-', 'u').file], ['delete', '-']);
  assert.deepEqual([command('-U', 'f').task, command('-b', '-U', 'f').task], ['upgrade', 'upgrade']);
});

test('-I alone chooses the hash that counts iterations; with another hash it is named as idle', () => {
  assert.deepEqual(
    [command('-I', '5000', 'f', 'u').hash, command('-I', '5000', 'f', 'u').iterations],
    ['sha512-pbkdf2', 5000],
  );
  const outcome = parsePasswdArguments(['-H', 'sha512', '-I', '5', 'f', 'u']);
  assert.equal(outcome.kind === 'run' && outcome.warning, 'Warning: -I means nothing to sha512.');
});

test("every mistake gets Mosquitto's line", () => {
  const lines: Record<string, string[]> = {
    'Error: -H argument given but not enough other arguments.': ['-H'],
    'Error: -I argument given but not enough other arguments.': ['-b', '-I'],
    "Error: Unknown hash type 'md5'": ['-H', 'md5', 'f', 'u'],
    'Error: Number of iterations is too small.': ['-H', 'scram-sha-256', '-I', '4095', 'f', 'u'],
    'Error: Number of iterations must be > 0.': ['-I', '0', 'f', 'u'],
    'Error: -c and -D cannot be used together.': ['-c', '-D', 'f', 'u'],
    'Error: -c and -U cannot be used together.': ['-c', '-U', 'f'],
    'Error: -D and -U cannot be used together.': ['-U', '-D', 'f'],
    'Error: -b and -D cannot be used together.': ['-b', '-D', 'f', 'u'],
    'Error: -c argument given but password file, username, or password missing.': ['-c', '-b', 'f', 'u'],
    'Error: -c argument given but password file or username missing.': ['-c', 'f'],
    'Error: -D argument given but password file or username missing.': ['-D', 'f'],
    'Error: -U argument given but password file missing.': ['-U'],
    'Error: Username must be less than 65536 characters long.': ['f', 'u'.repeat(65_536)],
    'Error: Username must not contain control characters.': ['f', 'a\tb'],
    "Error: Username must not contain the ':' character.": ['f', 'a:b'],
    'Error: Password must be less than 65536 characters long.': ['-b', 'f', 'u', 'p'.repeat(65_536)],
  };
  for (const [line, args] of Object.entries(lines)) assert.equal(errorLine(...args), line);
});

test('a count of words that fits nothing is answered with the usage', () => {
  for (const args of [[], ['f'], ['-b', 'f', 'u'], ['-b', 'f', 'u', 'p', 'x'], ['--help'], ['-b', '--help']]) {
    assert.equal(errorLine(...args), 'usage', args.join(' '));
  }
});

test('what Mosquitto would take for a file, or leave out, is refused with what was meant', () => {
  assert.equal(errorLine('-x', 'u'), "Error: Unknown option '-x'.");
  const joined = parsePasswdArguments(['-cb', 'f', 'u', 'p']);
  assert.equal(joined.kind === 'error' && joined.hint, 'Write each option by itself: -c -b');
  assert.equal(errorLine('-c', 'f', 'u', 'p'), 'Error: Too many arguments.');
  assert.equal(errorLine('f', '#u'), "Error: Invalid username '#u'.");
  assert.equal(errorLine('f', ''), "Error: Invalid username ''.");
});

test('any list of words ends in a command or in an answer', () => {
  const word = fc.oneof(fc.constantFrom('-b', '-c', '-D', '-H', '-I', '-U', 'sha512', '7', 'f', '-'), fc.string());
  fc.assert(
    fc.property(fc.array(word, { maxLength: 8 }), args => {
      const outcome = parsePasswdArguments(args);
      if (outcome.kind === 'error') assert.match(outcome.line, /^Error: /);
    }),
  );
});
