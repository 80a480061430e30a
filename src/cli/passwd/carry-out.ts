/**
 * Does what a PasswdCommand asks for. Passwords are asked for and hashed first, the file is changed last and in one
 * step: whatever fails before, and whoever pulls the plug, leaves the file as it was.
 */
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { applyUpgrade, hashPassword, planUpgrade, removeUser, setUser, type PlainLine } from '../../security/mod.ts';
import type { Context } from '../context.ts';
import { changeFile, createFile, type Replaced } from '../replace-file.ts';
import type { SecretPrompt } from '../secret-prompt.ts';
import { systemWords } from '../system-words.ts';
import type { PasswdCommand } from './arguments.ts';
import { Progress } from './progress.ts';

export interface Means {
  context: Context;
  prompt: SecretPrompt;
  /** Standard error is a terminal that can be shown how far a long file is. */
  progress: boolean;
}

const exitCodes = { done: 0, failed: 1, different: 2 };

export function carryOut(command: PasswdCommand, means: Means): Promise<number> | number {
  switch (command.task) {
    case 'create':
      return create(command, means);
    case 'set':
      return setPassword(command, command.file ?? '', means);
    case 'delete':
      return deleteUser(command, command.file ?? '', means);
    case 'upgrade':
      return upgrade(command, command.file ?? '', means);
  }
}

async function create(command: PasswdCommand, means: Means): Promise<number> {
  const { file, user } = command;
  // Before the password is typed twice for nothing; the file is opened exclusively all the same.
  if (file !== null && existsSync(file)) return notCreated(file, Object.assign(new Error(), { code: 'EEXIST' }), means);
  const password = await passwordOf(command, means);
  if (typeof password === 'number') return password;
  const line = setUser('', toLatin1(user), await hashOf(command, password));
  if (file === null) {
    means.context.print(Buffer.from(line, 'latin1').toString());
    return exitCodes.done;
  }
  try {
    createFile(file, line);
  } catch (error) {
    return notCreated(file, error, means);
  }
  means.context.print(`Adding password for user ${user}\n`);
  return exitCodes.done;
}

function notCreated(file: string, error: unknown, { context }: Means): number {
  context.complain(`Error: Unable to open file ${file} for writing. ${systemWords(error)}.\n`);
  if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
    context.complain('  Without -c a user is added to the file that is there. To start anew, remove it first.\n');
  }
  return exitCodes.failed;
}

async function setPassword(command: PasswdCommand, file: string, means: Means): Promise<number> {
  const why = whyNotChangeable(file);
  if (why !== null) return notOpened(file, why, means);
  const password = await passwordOf(command, means);
  if (typeof password === 'number') return password;
  const hash = await hashOf(command, password);
  const user = toLatin1(command.user);
  let isNew = true;
  const code = change(file, means, text => {
    isNew = removeUser(text, user) === null;
    return setUser(text, user, hash);
  });
  if (code === exitCodes.done) {
    means.context.print(`${isNew ? 'Adding' : 'Updating'} password for user ${command.user}\n`);
  }
  return code;
}

function deleteUser({ user }: PasswdCommand, file: string, means: Means): number {
  let isThere = true;
  const code = change(file, means, text => {
    const rest = removeUser(text, toLatin1(user));
    isThere = rest !== null;
    return rest;
  });
  if (isThere) return code;
  means.context.complain(`Warning: User ${user} not found in password file.\n`);
  return exitCodes.failed;
}

async function upgrade(command: PasswdCommand, file: string, means: Means): Promise<number> {
  const why = whyNotChangeable(file);
  if (why !== null) return notOpened(file, why, means);
  const { plain, hashed, unknown, corrupt } = planUpgrade(readFileSync(file, 'latin1'));
  if (corrupt[0] !== undefined) return refuseCorrupt(corrupt[0], means);
  const hashes = await hashAll(plain, command, means);
  const code = plain.length === 0 ? exitCodes.done : change(file, means, text => applyUpgrade(text, hashes));
  if (code !== exitCodes.done) return code;
  const { context } = means;
  if (hashed.length > 0) context.complain(`Hashed already and left as they are: ${numbered(hashed)}.\n`);
  if (unknown.length > 0) context.complain(`Warning: Not USER:PASSWORD and left as they are: ${numbered(unknown)}.\n`);
  return exitCodes.done;
}

function refuseCorrupt(line: number, { context }: Means): number {
  context.complain(`Error: Corrupt password file at line ${line}.\n`);
  context.complain('  The name or the password is missing there. Nothing has been changed.\n');
  return exitCodes.failed;
}

function numbered(lines: readonly number[]): string {
  const shown = lines.slice(0, 5).join(', ');
  const more = lines.length > 5 ? ` and ${lines.length - 5} more` : '';
  return `${lines.length === 1 ? 'line' : 'lines'} ${shown}${more}`;
}

/** As many as libuv has threads; an Argon2 hash takes 46 MiB while it is made. */
const hashesAtOnce = 4;

async function hashAll(plain: PlainLine[], command: PasswdCommand, means: Means): Promise<Map<string, string>> {
  const hashes = new Map<string, string>();
  const progress = new Progress(plain.length, means);
  const queue = plain.values();
  const worker = async () => {
    for (const { line, password } of queue) {
      hashes.set(line, await hashOf(command, Buffer.from(password, 'latin1')));
      progress.show(hashes.size);
    }
  };
  await Promise.all(Array.from({ length: hashesAtOnce }, worker));
  progress.clear();
  return hashes;
}

/** An exit code when there is none. */
async function passwordOf({ password }: PasswdCommand, { prompt, context }: Means): Promise<Buffer | number> {
  if (password !== null) return Buffer.from(password);
  const answer = await prompt.ask('Password: ', 'Reenter password: ');
  if (answer.ok) return answer.password;
  if (answer.because === 'different') context.complain('Error: Passwords do not match.\n');
  if (answer.because === 'empty') context.complain('Error: Empty password.\n');
  return answer.because === 'different' ? exitCodes.different : exitCodes.failed;
}

function hashOf({ hash, iterations }: PasswdCommand, password: Buffer): Promise<string> {
  return iterations === null ? hashPassword(password, hash) : hashPassword(password, hash, iterations);
}

function change(file: string, means: Means, edit: (text: string) => string | null): number {
  try {
    explain(file, changeFile(file, edit), means);
    return exitCodes.done;
  } catch (error) {
    return notOpened(file, error, means);
  }
}

/** Asked before a password is typed or a thousand are hashed. */
function whyNotChangeable(file: string): unknown {
  try {
    accessSync(file, constants.R_OK | constants.W_OK);
    return null;
  } catch (error) {
    return error;
  }
}

function notOpened(file: string, error: unknown, { context }: Means): number {
  context.complain(`Error: Unable to open password file ${file}. ${systemWords(error)}.\n`);
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') context.complain('  -c makes a new file.\n');
  return exitCodes.failed;
}

function explain(file: string, replaced: Replaced | null, { context }: Means): void {
  if (replaced === null) return;
  if (replaced.inPlaceBecause !== null) {
    const why = systemWords(replaced.inPlaceBecause);
    context.complain(`Note: ${file} was overwritten in place, because it cannot be replaced in one step: ${why}.\n`);
  }
  if (replaced.isWorldReadable) {
    context.complain(`Warning: Every user of this machine can read ${file}. To change that: chmod o-rwx ${file}\n`);
  }
}

/** The text of password files is handled as Latin-1, so that every byte of other lines survives. */
function toLatin1(name: string): string {
  return Buffer.from(name).toString('latin1');
}
