/** The command `signal`, which takes the place of mosquitto_signal. */
import { readFileSync } from 'node:fs';
import { programName } from './command-page.ts';
import type { Context } from './context.ts';
import { helpText } from './help-text.ts';
import { nearestName } from './nearest-name.ts';
import { brokerProcesses, isBroker, listenersOn, programOf } from './signal/processes.ts';
import { signalPage, signals } from './signal/signal-page.ts';
import { systemWords } from './system-words.ts';

/** Whom to signal. */
type Target =
  { by: 'all' } | { by: 'pid'; pid: number } | { by: 'pid-file'; file: string } | { by: 'port'; port: number };

type Outcome =
  | { kind: 'run'; target: Target; signal: NodeJS.Signals | number }
  | { kind: 'usage' }
  | { kind: 'error'; line: string; hint: string | null };

export interface Processes {
  all(): number[] | null;
  isBroker(pid: number): boolean;
  programOf(pid: number): string | null;
  listenersOn(port: number): number[];
  kill(pid: number, signal: NodeJS.Signals | number): void;
}

const realProcesses: Processes = {
  all: () => brokerProcesses(),
  isBroker: pid => isBroker(pid),
  programOf: pid => programOf(pid),
  listenersOn: port => listenersOn(port),
  kill: (pid, signal) => void process.kill(pid, signal),
};

export async function run(args: readonly string[], context: Context): Promise<number> {
  return signalCommand(args, context, realProcesses);
}

export function signalCommand(args: readonly string[], context: Context, processes: Processes): number {
  const outcome = parse(args);
  if (outcome.kind === 'usage') {
    context.print(helpText(signalPage, programName(signalPage, context)));
    return 1;
  }
  if (outcome.kind === 'error') return fail(outcome.line, outcome.hint, context);
  return send(outcome.target, outcome.signal, context, processes);
}

function parse(args: readonly string[]): Outcome {
  if (args.length === 0) return { kind: 'usage' };
  let target: Target | null = null;
  for (let at = 0; at < args.length; at++) {
    const word = args[at] as string;
    if (word === '--help') return { kind: 'usage' };
    if (word === '-a') {
      target = { by: 'all' };
      continue;
    }
    if (!['-p', '--pid-file', '--port'].includes(word)) return finish(target, args.slice(at));
    const found = targetOf(word, args[++at]);
    if ('kind' in found) return found;
    target = found;
  }
  return finish(target, []);
}

function targetOf(word: string, value: string | undefined): Target | (Outcome & { kind: 'error' }) {
  if (word === '-p') {
    if (value === undefined) return refused('Error: -p argument given but process ID missing.');
    if (!isNumber(value, 0x7fff_ffff)) return refused('Error: Process ID must be >0.');
    return { by: 'pid', pid: Number(value) };
  }
  if (word === '--port') {
    if (value === undefined) return refused('Error: --port argument given but port missing.');
    if (!isNumber(value, 65_535)) return refused(`Error: Invalid port given: ${value}`, 'Ports are 1 to 65535.');
    return { by: 'port', port: Number(value) };
  }
  if (value === undefined) return refused('Error: --pid-file argument given but file missing.');
  return { by: 'pid-file', file: value };
}

function isNumber(text: string, max: number): boolean {
  return /^\d{1,10}$/.test(text) && Number(text) >= 1 && Number(text) <= max;
}

function finish(target: Target | null, rest: readonly string[]): Outcome {
  const [name, surplus] = rest;
  if (name?.startsWith('-')) return unknown('option', name, [...optionNames]);
  if (target === null) {
    return refused(
      'Error: One of -a or -p must be used.',
      'Or --pid-file, or --port: they name one broker for certain.',
    );
  }
  if (name === undefined) return refused('Error: No signal given.', `There are ${signalNames.join(', ')}.`);
  const row = signals.find(each => each.name === name);
  if (row === undefined) return unknown('signal', name, signalNames);
  if (surplus !== undefined) return refused(`Error: Unknown argument '${surplus}'.`, 'One signal at a time, and last.');
  return { kind: 'run', target, signal: row.signal };
}

const signalNames = signals.map(row => row.name);
const optionNames = signalPage.options.flatMap(row => [row.short ?? '', row.long ?? '']).filter(name => name !== '');

function unknown(what: string, name: string, names: readonly string[]): Outcome {
  const meant = nearestName(name, names);
  const hint = meant === null ? `There are ${names.join(', ')}.` : `Did you mean '${meant}'?`;
  return refused(`Error: Unknown ${what} '${name}'.`, hint);
}

function refused(line: string, hint: string | null = null): Outcome & { kind: 'error' } {
  return { kind: 'error', line, hint };
}

function send(target: Target, signal: NodeJS.Signals | number, context: Context, processes: Processes): number {
  switch (target.by) {
    case 'pid':
      kill(target.pid, signal, 'Error sending signal to process', context, processes);
      return 0;
    case 'all':
      return sendToAll(signal, context, processes);
    case 'pid-file':
      return sendByPidFile(target.file, signal, context, processes);
    case 'port':
      return sendByPort(target.port, signal, context, processes);
  }
}

function sendToAll(signal: NodeJS.Signals | number, context: Context, processes: Processes): number {
  const pids = processes.all();
  if (pids === null) {
    context.complain('Error reading /proc: No such file or directory.\n  Name the process with -p instead.\n');
    return 0;
  }
  if (pids.length === 0) context.complain('No broker runs on this machine, or none that this user can see.\n');
  for (const pid of pids) kill(pid, signal, 'Unable to signal process', context, processes);
  return 0;
}

function sendByPidFile(file: string, signal: NodeJS.Signals | number, context: Context, processes: Processes): number {
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch (error) {
    return fail(
      `Error: Unable to read ${file}. ${systemWords(error)}.`,
      'Does a broker run with that pid_file?',
      context,
    );
  }
  if (!isNumber(text, 0x7fff_ffff)) return fail(`Error: ${file} is no pid file.`, 'It holds a number alone.', context);
  const pid = Number(text);
  if (!processes.isBroker(pid)) {
    const program = processes.programOf(pid);
    const is = program === null ? 'there is no such process' : `that is ${program}`;
    return fail(`Error: Process ${pid}, which ${file} names, is no broker: ${is}.`, 'The broker has ended.', context);
  }
  return kill(pid, signal, 'Error sending signal to process', context, processes) ? 0 : 1;
}

function sendByPort(port: number, signal: NodeJS.Signals | number, context: Context, processes: Processes): number {
  const listening = processes.listenersOn(port);
  const brokers = listening.filter(pid => processes.isBroker(pid));
  if (brokers.length === 0) {
    const others = listening.map(pid => `${processes.programOf(pid)} (process ${pid})`);
    const hint =
      others.length > 0 ? `It belongs to ${others.join(', ')}.` : 'Brokers of other users show up for root alone.';
    return fail(`Error: No broker listens on port ${port}.`, hint, context);
  }
  const sent = brokers.map(pid => kill(pid, signal, 'Error sending signal to process', context, processes));
  return sent.includes(false) ? 1 : 0;
}

function kill(
  pid: number,
  signal: NodeJS.Signals | number,
  complaint: string,
  context: Context,
  processes: Processes,
): boolean {
  try {
    processes.kill(pid, signal);
    return true;
  } catch (error) {
    context.complain(`${complaint} ${pid}: ${systemWords(error)}\n`);
    return false;
  }
}

function fail(line: string, hint: string | null, context: Context): number {
  context.complain(`${line}\n`);
  if (hint !== null) context.complain(`  ${hint}\n`);
  return 1;
}
