/**
 * `-f FILE dynsec setClientPassword`: a password in the file of the dynamic security plugin, while no broker runs on it
 * (one that runs would overwrite the file).
 *
 *   2.1   "encoded_password": "$7$iterations$salt$hash"
 *   2.0   "password": hash, "salt": salt, "iterations": n       stays in this form: 2.0 reads no other
 */
import { readFileSync } from 'node:fs';
import { hashPassword } from '../../security/mod.ts';
import type { Context } from '../context.ts';
import { changeFile } from '../replace-file.ts';
import { systemWords } from '../system-words.ts';
import type { Fields } from './control-command.ts';
import { isObject } from './dynsec-print.ts';
import { exitCodes } from './exit-codes.ts';

const usage = 'Usage: -f <file> dynsec setClientPassword <username> <password> [-i iterations]';

/** What brokers accept. */
const iterationsMax = 2_000_000;

export async function setPasswordOffline(file: string, words: readonly string[], context: Context): Promise<number> {
  const request = readWords(words);
  if (typeof request === 'string') return invalid([request], context);
  const problem = fileProblem(file);
  if (problem !== null) return invalid(problem, context);
  const { username, password, iterations } = request;
  const encoded = await hashPassword(password, 'sha512-pbkdf2', ...(iterations === null ? [] : [iterations]));
  let isThere = false;
  try {
    changeFile(file, latin1 => {
      const tree = parse(Buffer.from(latin1, 'latin1').toString());
      isThere = tree !== null && setPassword(tree, username, encoded);
      return isThere ? Buffer.from(JSON.stringify(tree, null, '\t')).toString('latin1') : null;
    });
  } catch (error) {
    return invalid([`Error: Unable to write to ${file}.`, `  ${systemWords(error)}.`], context);
  }
  if (isThere) return exitCodes.ok;
  context.complain(`Error: Client ${username} not found.\n`);
  return exitCodes.notFound;
}

interface Request {
  username: string;
  password: string;
  /** Null: as many as our own. */
  iterations: number | null;
}

/** A string is what is wrong. */
function readWords([username, password, option, count, ...rest]: readonly string[]): Request | string {
  if (username === undefined || password === undefined) return `  ${usage}`;
  if (option === undefined) return { username, password, iterations: null };
  if (option !== '-i') return `Error: Unknown argument: ${option}`;
  if (count === undefined) return 'Error: -i argument given, but no iterations provided.';
  const iterations = /^\d{1,7}$/.test(count) ? Number(count) : 0;
  if (iterations < 1 || iterations > iterationsMax) return `  Iterations are 1 to ${iterationsMax}, not '${count}'.`;
  return rest[0] === undefined ? { username, password, iterations } : `Error: Unknown argument: ${rest[0]}`;
}

/** Lines, or null when it can be worked with. */
function fileProblem(file: string): string[] | null {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    return [`Error: Unable to open ${file}.`, `  ${systemWords(error)}.`];
  }
  if (text === '') return [`Error: ${file} is empty.`];
  const tree = parse(text);
  if (tree === null) return [`Error: ${file} is not valid JSON.`];
  return Array.isArray(tree['clients']) ? null : [`Error: ${file} is not a valid dynamic-security config file.`];
}

function parse(text: string): Fields | null {
  try {
    const tree: unknown = JSON.parse(text);
    return isObject(tree) ? tree : {};
  } catch {
    return null;
  }
}

/** False when there is no such client. */
function setPassword(tree: Fields, username: string, encoded: string): boolean {
  const clients = Array.isArray(tree['clients']) ? tree['clients'].filter(isObject) : [];
  const client = clients.find(each => each['username'] === username);
  if (client === undefined) return false;
  const [, , iterations, salt, hash] = encoded.split('$');
  const isOld = 'password' in client && !('encoded_password' in client);
  if (isOld) Object.assign(client, { password: hash, salt, iterations: Number(iterations) });
  else client['encoded_password'] = encoded;
  return true;
}

function invalid(lines: readonly string[], context: Context): number {
  const [first = '', ...rest] = lines;
  const isOurs = first.startsWith('  ');
  const all = isOurs ? ['Error: Invalid input.', first] : [first, ...rest, 'Error: Invalid input.'];
  context.complain(all.map(line => `${line}\n`).join(''));
  return exitCodes.invalid;
}
