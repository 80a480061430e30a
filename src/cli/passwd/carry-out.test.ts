import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { SecretPrompt } from '../secret-prompt.ts';
import { recordedContext, scriptedInput, temporaryFolder } from '../shared.test.ts';
import { parsePasswdArguments } from './arguments.ts';
import { carryOut } from './carry-out.ts';

function desk(t: TestContext, text: string | null = null) {
  const folder = temporaryFolder(t);
  const file = join(folder, 'passwords');
  if (text !== null) fs.writeFileSync(file, text, { mode: 0o600 });
  const passwd = async (args: string[], typed: string[] = [], progress = false) => {
    const context = recordedContext();
    const outcome = parsePasswdArguments(args);
    assert.ok(outcome.kind === 'run', JSON.stringify(outcome));
    const prompt = new SecretPrompt(context, scriptedInput(typed));
    const code = await carryOut(outcome.command, { context, prompt, progress });
    return { code, printed: context.printed, complained: context.complained };
  };
  return { folder, file, passwd, text: () => fs.readFileSync(file, 'utf8') };
}

test('-c makes a file of mode 0600 with one user, and says so', async t => {
  const { file, passwd, text } = desk(t);
  const done = await passwd(['-c', '-b', file, 'ann', 'secret']);
  assert.deepEqual(done, { code: 0, printed: 'Adding password for user ann\n', complained: '' });
  assert.match(text(), /^ann:\$argon2id\$v=19\$m=47104,t=1,p=1\$[^$]+\$[^$]+\n$/);
  assert.equal(fs.statSync(file).mode & 0o777, 0o600);
});

test('-c does not overwrite a file, and does not ask for a password first', async t => {
  const { file, passwd, text } = desk(t, 'x:y\n');
  const { code, printed, complained } = await passwd(['-c', file, 'ann']);
  assert.deepEqual([code, printed, text()], [1, '', 'x:y\n']);
  assert.match(complained, /^Error: Unable to open file .+ for writing\. File exists\.\n/);
});

test('-c - writes the line to standard output and nothing else', async t => {
  const { passwd, folder } = desk(t);
  const { code, printed } = await passwd(['-H', 'sha512', '-c', '-b', '-', 'ann', 'secret']);
  assert.match(printed, /^ann:\$6\$[^$]{16}\$[^$]+\n$/);
  assert.deepEqual([code, fs.readdirSync(folder)], [0, []]);
});

test('an update changes one line and keeps all others: users, comments, blank and unknown lines, any bytes', async t => {
  const { file, passwd } = desk(t);
  const before = Buffer.from('# caf\xe9\n\nann:old\nwho knows\n  bob : x \n', 'latin1');
  fs.writeFileSync(file, before);
  const { code, printed } = await passwd(['-I', '7', '-b', file, 'ann', 'new']);
  assert.deepEqual([code, printed], [0, 'Updating password for user ann\n']);
  const after = fs.readFileSync(file, 'latin1');
  assert.match(after, /^ann:\$7\$7\$/m);
  assert.equal(after.replace(/^ann:.*/m, 'ann:old'), before.toString('latin1'));
});

test('the password is asked for twice; an empty or a different one changes nothing', async t => {
  const { file, passwd, text } = desk(t, 'x:y\n');
  const question = 'Password: \nReenter password: \n';
  assert.deepEqual(await passwd([file, 'ann'], ['a\nb\n']), {
    code: 2,
    printed: question,
    complained: 'Error: Passwords do not match.\n',
  });
  assert.deepEqual(await passwd([file, 'ann'], ['\n']), {
    code: 1,
    printed: 'Password: ',
    complained: 'Error: Empty password.\n',
  });
  assert.equal(text(), 'x:y\n');
  assert.deepEqual(await passwd([file, 'ann'], ['a\n', 'a\n']), {
    code: 0,
    printed: `${question}Adding password for user ann\n`,
    complained: '',
  });
  assert.match(text(), /^x:y\nann:\$argon2id\$/);
});

test('a name in UTF-8 finds its line again', async t => {
  const { file, passwd, text } = desk(t, '');
  await passwd(['-H', 'sha512', '-b', file, 'añ€', 'a']);
  const { printed } = await passwd(['-H', 'sha512', '-b', file, 'añ€', 'b']);
  assert.equal(printed, 'Updating password for user añ€\n');
  assert.match(text(), /^añ€:\$6\$[^\n]+\n$/);
});

test('-D removes a user; one who is not there is a warning and 1', async t => {
  const { file, passwd, text } = desk(t, '#\nann:x\nbob:y\n');
  assert.deepEqual(await passwd(['-D', file, 'ann']), { code: 0, printed: '', complained: '' });
  assert.equal(text(), '#\nbob:y\n');
  assert.deepEqual(await passwd(['-D', file, 'ann']), {
    code: 1,
    printed: '',
    complained: 'Warning: User ann not found in password file.\n',
  });
});

test('a file that is not there is named, with the option that makes one', async t => {
  const { file, passwd } = desk(t);
  for (const args of [
    ['-b', file, 'u', 'p'],
    ['-D', file, 'u'],
    ['-U', file],
  ]) {
    const { code, complained } = await passwd(args);
    assert.deepEqual(
      [code, complained],
      [1, `Error: Unable to open password file ${file}. No such file or directory.\n  -c makes a new file.\n`],
    );
  }
});

test('-U hashes every password, a second time changes nothing', async t => {
  const { file, passwd, text } = desk(t, '# users\nann:secret\n\nbob: pa:ss \nnobody\n');
  const first = await passwd(['-H', 'sha512', '-U', file]);
  assert.deepEqual([first.code, first.printed], [0, '']);
  assert.equal(first.complained, 'Warning: Not USER:PASSWORD and left as they are: line 5.\n');
  assert.match(text(), /^# users\nann:\$6\$.+\n\nbob:\$6\$.+\nnobody\n$/);
  const hashed = text();
  const second = await passwd(['-U', file]);
  assert.match(second.complained, /^Hashed already and left as they are: lines 2, 4\.\n/);
  assert.equal(text(), hashed);
});

test('-U refuses a line without a password and changes nothing', async t => {
  const { file, passwd, text } = desk(t, 'ann:secret\nbob:\n');
  const { code, complained } = await passwd(['-U', file]);
  assert.match(complained, /^Error: Corrupt password file at line 2\.\n/);
  assert.deepEqual([code, text()], [1, 'ann:secret\nbob:\n']);
});

test('-U on a terminal shows how far it is, and clears the line at the end', async t => {
  const { file, passwd } = desk(t, 'ann:a\nbob:b\n');
  const { complained } = await passwd(['-H', 'sha512', '-U', file], [], true);
  assert.equal(complained, '\r1 of 2 passwords hashed (50 %)\r\u001b[K');
});

test('a file that others can read is changed all the same, and named', async t => {
  const { file, passwd } = desk(t, 'ann:x\n');
  fs.chmodSync(file, 0o644);
  const { code, complained } = await passwd(['-H', 'sha512', '-b', file, 'ann', 'p']);
  assert.deepEqual([code, fs.statSync(file).mode & 0o777], [0, 0o644]);
  assert.match(complained, /^Warning: Every user of this machine can read /);
});
