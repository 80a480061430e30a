/**
 * From the arguments of `passwd` to what shall be done.
 *
 * Options come first; the first word that is none begins FILE USER PASSWORD. Mosquitto's error lines and their order.
 */
import { userNameProblem, type HashKind } from '../../security/mod.ts';
import { nearestName } from '../nearest-name.ts';
import { hashKinds, passwdPage } from './passwd-page.ts';

export type Task = 'create' | 'set' | 'delete' | 'upgrade';

export interface PasswdCommand {
  task: Task;
  /** Null stands for standard output (`-c -`). */
  file: string | null;
  /** Empty when a whole file is upgraded. */
  user: string;
  /** Null: ask. */
  password: string | null;
  hash: HashKind;
  iterations: number | null;
}

export type PasswdOutcome =
  { kind: 'run'; command: PasswdCommand; warning: string | null } | { kind: 'usage' } | Refused;

interface Refused {
  kind: 'error';
  line: string;
  hint: string | null;
}

interface Draft {
  batch: boolean;
  create: boolean;
  delete: boolean;
  upgrade: boolean;
  hash: HashKind | null;
  iterations: number | null;
}

/** A password that is longer cannot be sent in a CONNECT either. */
const passwordBytesMax = 65_535;

export function parsePasswdArguments(args: readonly string[]): PasswdOutcome {
  if (args.length === 0) return { kind: 'usage' };
  const draft: Draft = { batch: false, create: false, delete: false, upgrade: false, hash: null, iterations: null };
  for (let at = 0; ; at++) {
    const word = args[at] ?? '';
    if (word === '--help') return { kind: 'usage' };
    const takesValue = word === '-H' || word === '-I';
    const outcome = takesValue ? takeValue(word, args[at + 1], draft) : takeFlag(word, draft);
    if (outcome === 'operand') return finish(draft, args.slice(at));
    if (outcome !== null) return outcome;
    if (takesValue) at++;
  }
}

function takeFlag(word: string, draft: Draft): Refused | 'operand' | null {
  switch (word) {
    case '-b':
      draft.batch = true;
      return null;
    case '-c':
      draft.create = true;
      return null;
    case '-D':
      draft.delete = true;
      return null;
    case '-U':
      draft.upgrade = true;
      return null;
    default:
      return word.startsWith('-') && word !== '-' ? unknownOption(word) : 'operand';
  }
}

function unknownOption(word: string): Refused {
  const meant = nearestName(word, [...passwdPage.options.map(row => row.short ?? ''), '--help']);
  const hint = /^-[bcDU]{2,}$/.test(word)
    ? `Write each option by itself: ${[...word.slice(1)].map(letter => `-${letter}`).join(' ')}`
    : `A file of that name is written ./${word}${meant === null ? '' : `; or did you mean '${meant}'?`}`;
  return refused(`Error: Unknown option '${word}'.`, hint);
}

function takeValue(word: string, value: string | undefined, draft: Draft): Refused | null {
  if (value === undefined) return refused(`Error: ${word} argument given but not enough other arguments.`);
  if (word === '-H') {
    const kind = hashKinds.find(each => each === value);
    if (kind === undefined) return refused(`Error: Unknown hash type '${value}'`, `There are ${hashKinds.join(', ')}.`);
    draft.hash = kind;
    return null;
  }
  const iterations = /^\+?[0-9]{1,10}$/.test(value) ? Number(value) : 0;
  if (iterations < 1) return refused('Error: Number of iterations must be > 0.');
  if (iterations > iterationsMax) {
    return refused('Error: Number of iterations is too large.', `Brokers take ${iterationsMax} at most.`);
  }
  draft.iterations = iterations;
  return null;
}

/** RFC 7677, 4; clients refuse less. */
const scramIterationsMin = 4096;
/** What the broker accepts in a password file. */
const iterationsMax = 2_000_000;

function finish(draft: Draft, operands: readonly string[]): PasswdOutcome {
  const conflict = conflictOf(draft);
  if (conflict !== null) return conflict;
  const task: Task = draft.create ? 'create' : draft.delete ? 'delete' : draft.upgrade ? 'upgrade' : 'set';
  // -U asks for nothing, so -b beside it says nothing new.
  const wanted = task === 'upgrade' ? 1 : draft.batch ? 3 : 2;
  if (operands.length !== wanted) return wrongCount(task, draft, operands.length - wanted);
  const [file = '', user = '', password = null] = operands;
  const problem = task === 'upgrade' ? null : (userProblem(user) ?? passwordProblem(password));
  if (problem !== null) return problem;
  const hash = draft.hash ?? (draft.iterations === null ? 'argon2id' : 'sha512-pbkdf2');
  if (hash.startsWith('scram') && draft.iterations !== null && draft.iterations < scramIterationsMin) {
    return refused('Error: Number of iterations is too small.', `SCRAM has ${scramIterationsMin} at least.`);
  }
  const command: PasswdCommand = {
    task,
    file: task === 'create' && file === '-' ? null : file,
    user,
    password,
    hash,
    iterations: draft.iterations,
  };
  return { kind: 'run', command, warning: warningFor(command) };
}

function warningFor({ hash, iterations, user, password }: PasswdCommand): string | null {
  if (iterations !== null && (hash === 'argon2id' || hash === 'sha512')) return `Warning: -I means nothing to ${hash}.`;
  if (password !== '') return null;
  return `Warning: The password is empty: whoever knows the name ${user} can log in.`;
}

function conflictOf(draft: Draft): Refused | null {
  if (draft.create && draft.delete) return refused('Error: -c and -D cannot be used together.');
  if (draft.create && draft.upgrade) return refused('Error: -c and -U cannot be used together.');
  if (draft.delete && draft.upgrade) return refused('Error: -D and -U cannot be used together.');
  if (draft.delete && draft.batch) return refused('Error: -b and -D cannot be used together.');
  return null;
}

function wrongCount(task: Task, draft: Draft, surplus: number): PasswdOutcome {
  if (surplus > 0) {
    if (draft.batch || task === 'delete' || task === 'upgrade') return { kind: 'usage' };
    return refused('Error: Too many arguments.', 'A password on the command line needs -b.');
  }
  if (task === 'create') {
    const missing = draft.batch ? 'password file, username, or password missing' : 'password file or username missing';
    return refused(`Error: -c argument given but ${missing}.`);
  }
  if (task === 'delete') return refused('Error: -D argument given but password file or username missing.');
  if (task === 'upgrade') return refused('Error: -U argument given but password file missing.');
  return { kind: 'usage' };
}

function userProblem(user: string): Refused | null {
  const problem = userNameProblem(user);
  if (problem === null) return null;
  if (Buffer.byteLength(user) > 65_535) return refused('Error: Username must be less than 65536 characters long.');
  if (/[\u0000-\u001f\u007f]/.test(user)) return refused('Error: Username must not contain control characters.');
  if (user.includes(':')) return refused("Error: Username must not contain the ':' character.");
  return refused(`Error: Invalid username '${user}'.`, `${problem.charAt(0).toUpperCase()}${problem.slice(1)}.`);
}

function passwordProblem(password: string | null): Refused | null {
  if (password === null || Buffer.byteLength(password) <= passwordBytesMax) return null;
  return refused('Error: Password must be less than 65536 characters long.');
}

function refused(line: string, hint: string | null = null): Refused {
  return { kind: 'error', line, hint };
}
