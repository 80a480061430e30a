/**
 * Which processes of this machine are brokers, read from /proc.
 *
 *   /proc/PID/cmdline    mosquitto …                         Mosquitto, by the name of its program
 *                        …/node … …/bin/start.cjs ARGS       Zancudo; a broker if ARGS or its name say so
 *   /proc/PID/environ    ZANCUDO_CALLED_AS=…                 the name by which it was called
 *   /proc/PID/fd         socket:[INODE]                      whose socket listens on a port
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';

/** Null when there is no /proc to look into. */
export function brokerProcesses(proc = '/proc'): number[] | null {
  return (
    numbersIn(proc)
      ?.filter(pid => pid !== process.pid && isBroker(pid, proc))
      .sort((a, b) => a - b) ?? null
  );
}

export function isBroker(pid: number, proc = '/proc'): boolean {
  const [program, ...args] = wordsOf(`${proc}/${pid}/cmdline`);
  if (program === undefined) return false;
  if (basename(program) === 'mosquitto') return true;
  const main = args.findIndex(word => /[/\\](bin[/\\]start\.cjs|cli[/\\]main\.ts)$/.test(word));
  if (main === -1) return false;
  const calledAs = wordsOf(`${proc}/${pid}/environ`).find(word => word.startsWith(nameVariable));
  return runsBroker(calledAs?.slice(nameVariable.length) ?? 'zancudo', args[main + 1]);
}

/** For messages: how a process calls itself, null when there is none of that number. */
export function programOf(pid: number, proc = '/proc'): string | null {
  const [program] = wordsOf(`${proc}/${pid}/cmdline`);
  return program === undefined ? null : basename(program);
}

const nameVariable = 'ZANCUDO_CALLED_AS=';

/** As run.ts picks the command. */
function runsBroker(calledAs: string, firstArgument: string | undefined): boolean {
  if (calledAs.startsWith('mosquitto')) return calledAs === 'mosquitto';
  return firstArgument === undefined || firstArgument === 'broker' || firstArgument.startsWith('-');
}

/** Every process that has a listening TCP socket on the port. */
export function listenersOn(port: number, proc = '/proc'): number[] {
  const inodes = new Set(['tcp', 'tcp6'].flatMap(table => listeningInodes(`${proc}/net/${table}`, port)));
  if (inodes.size === 0) return [];
  return (numbersIn(proc) ?? []).filter(pid => holdsSocket(`${proc}/${pid}/fd`, inodes));
}

/** `sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode`, in hexadecimal. */
function listeningInodes(table: string, port: number): string[] {
  const LISTEN = '0A';
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  return readOrEmpty(table)
    .split('\n')
    .slice(1)
    .map(line => line.trim().split(/\s+/))
    .filter(fields => fields[1]?.endsWith(`:${wanted}`) && fields[3] === LISTEN)
    .map(fields => fields[9] ?? '');
}

function holdsSocket(folder: string, inodes: ReadonlySet<string>): boolean {
  for (const fd of namesIn(folder) ?? []) {
    const inode = /^socket:\[(\d+)\]$/.exec(linkOrEmpty(`${folder}/${fd}`))?.[1];
    if (inode !== undefined && inodes.has(inode)) return true;
  }
  return false;
}

function numbersIn(proc: string): number[] | null {
  return (
    namesIn(proc)
      ?.filter(name => /^[1-9]\d*$/.test(name))
      .map(Number) ?? null
  );
}

function wordsOf(file: string): string[] {
  const words = readOrEmpty(file).split('\0');
  if (words.at(-1) === '') words.pop();
  return words;
}

// Processes end while they are looked at, and those of other users keep their descriptors to themselves.

function namesIn(folder: string): string[] | null {
  try {
    return readdirSync(folder);
  } catch {
    return null;
  }
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function linkOrEmpty(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    return '';
  }
}
