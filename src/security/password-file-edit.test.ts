import assert from 'node:assert/strict';
import test from 'node:test';
import { applyUpgrade, planUpgrade, removeUser, setUser, userNameProblem } from './password-file-edit.ts';

test('a new user goes to the end, whether or not the file ended with a line end', () => {
  assert.equal(setUser('', 'ana', '$6$a'), 'ana:$6$a\n');
  assert.equal(setUser('bob:$6$b', 'ana', '$6$a'), 'bob:$6$b\nana:$6$a\n');
  assert.equal(setUser('bob:$6$b\n', 'ana', '$6$a'), 'bob:$6$b\nana:$6$a\n');
});

test('a user who is there gets the new hash in place, and comments stay', () => {
  const text = '# ana: the boss\n ana :$6$old\n\nbob:$6$b\n';
  assert.equal(setUser(text, 'ana', '$6$new'), '# ana: the boss\nana:$6$new\n\nbob:$6$b\n');
});

test('a removed user is gone, the rest stays, and a missing one is reported', () => {
  assert.equal(removeUser('# x\nana:$6$a\nbob:$6$b', 'ana'), '# x\nbob:$6$b\n');
  assert.equal(removeUser('ana:$6$a\n', 'ana'), '');
  assert.equal(removeUser('ana:$6$a\n', 'an'), null);
});

test('a name that a password file cannot hold is refused with the reason', () => {
  for (const name of ['', 'a:b', '#ana', 'a\nb', ' ana', 'ana\t', 'n'.repeat(65_536)]) {
    assert.notEqual(userNameProblem(name), null, name);
    assert.throws(() => setUser('', name, '$6$a'));
  }
  for (const name of ['ana', 'ana b', 'a#b', 'größe', 'n'.repeat(65_535)])
    assert.equal(userNameProblem(name), null, name);
});

test('an upgrade hashes what is plain, keeps the rest and names what it cannot use', () => {
  const hashed = `$6$${'A'.repeat(16)}$${Buffer.alloc(64).toString('base64')}`;
  const text = `# users\nann:secret\n\n bob : pa:ss \ncarl:${hashed}\nnobody\n:lost\ndora:\n`;
  const { plain, ...rest } = planUpgrade(text);
  assert.deepEqual(
    plain.map(({ number, name, password }) => [number, name, password]),
    [
      [2, 'ann', 'secret'],
      [4, 'bob', 'pa:ss'],
    ],
  );
  assert.deepEqual(rest, { hashed: [5], unknown: [6], corrupt: [7, 8] });
  const hashes = new Map(plain.map(({ line, name }) => [line, `hash of ${name}`]));
  assert.equal(
    applyUpgrade(text, hashes),
    text.replace('ann:secret', 'ann:hash of ann').replace(' bob : pa:ss ', 'bob:hash of bob'),
  );
});
