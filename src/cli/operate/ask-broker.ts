/**
 * How the operators' commands find the broker that runs, and what is said when there is none.
 *
 *   --socket PATH        -c FILE: its admin_socket line        otherwise the home: its admin_socket line, or run/operators.sock
 */
import fs from 'node:fs';
import path from 'node:path';
import type { AskError, OperatorsClient } from '../../admin/mod.ts';
import { type Call, runSubcommand, type Subcommand, type SubcommandOption, UsageError } from '../ca/subcommand.ts';
import type { CommandPage } from '../command-page.ts';
import type { Context } from '../context.ts';
import { configurationOption } from '../store/store-command.ts';

export const brokerOptions: readonly SubcommandOption[] = [
  configurationOption,
  { long: '--socket', argument: 'PATH', completes: 'file', says: "The operators' socket itself, instead of looking for it." },
]; // prettier-ignore

export const operatorExitCodes = [
  { code: '0', when: 'Done.' },
  { code: '1', when: 'It could not be done, or no broker runs; why and what to do was said.' },
  { code: '2', when: 'The command line cannot be understood.' },
];

/** `zancudo clients` lists, and so does `zancudo clients 'sensor-*'`. */
export function runOperatorCommand(
  page: CommandPage,
  rows: readonly Subcommand[],
  args: readonly string[],
  context: Context,
): Promise<number> {
  const first = rows[0]!.name;
  const long = args.map(word => (word === '-c' ? '--config-file' : word));
  const asksForHelp = args.includes('--help') || args.includes('-h');
  const named = asksForHelp || rows.some(row => row.name === long[0]);
  return runSubcommand(page, rows, named ? long : [first, ...long], context);
}

/** Runs `work` with the broker that the options name; failures are told, and end with 1. */
export async function withBroker(call: Call, work: (broker: OperatorsClient) => Promise<number>): Promise<number> {
  const place = await socketOf(call);
  if ('lines' in place) {
    call.warn(...place.lines);
    return 1;
  }
  const { AskError, OperatorsClient } = await import('../../admin/mod.ts');
  try {
    return await work(new OperatorsClient(place.socket));
  } catch (error) {
    if (error instanceof AskError) call.warn(`Error: ${answerText(error)}.`);
    else call.warn(...unreachable(place, error));
    return 1;
  }
}

export function answerText({ status, message }: AskError): string {
  return status === 404 && message.startsWith('there is nothing') ? 'this broker is of another version' : message;
}

export interface Place {
  socket: string;
  /** Whose socket it is, for messages. */
  of: string;
}

export async function socketOf(call: Call): Promise<Place | { lines: readonly string[] }> {
  const [socket, file] = [call.value('--socket'), call.value('--config-file')];
  const named = [socket, file, call.value('--home')].filter(each => each !== null);
  if (named.length > 1) throw new UsageError('--socket, -c and --home name different brokers: take one.');
  if (socket !== null) return { socket: path.resolve(socket), of: socket };
  const home = file === null ? call.home.folder : null;
  const configuration = file ?? path.join(home!, 'zancudo.conf');
  const written = file !== null || mentionsSocket(configuration) ? await writtenSocket(configuration) : null;
  if (typeof written === 'string') return { socket: path.resolve(written), of: configuration };
  if (written !== null) return written;
  return home === null
    ? { lines: noLine(configuration) }
    : { socket: path.join(home, 'run', 'operators.sock'), of: home };
}

/** Most homes have no such line, and need no reader of configurations. */
function mentionsSocket(configuration: string): boolean {
  try {
    return /^\s*admin_socket\s/m.test(fs.readFileSync(configuration, 'utf8'));
  } catch {
    return false;
  }
}

async function writtenSocket(configuration: string): Promise<string | null | { lines: readonly string[] }> {
  const { loadConfiguration } = await import('../../conf/mod.ts');
  const result = loadConfiguration(configuration, { ports: [], home: null });
  if (result.ok) return result.settings.adminSocket;
  const { lines, explanation } = result.failure;
  return { lines: [...lines, ...explanation.map(line => `  ${line}`)] };
}

function noLine(configuration: string): string[] {
  return [
    `Error: ${configuration} names no operators' socket.`,
    "  Write the line 'admin_socket /run/zancudo/operators.sock' (or another path) in it and start the broker again.",
  ];
}

export function unreachable({ socket, of }: Place, error: unknown): string[] {
  const { code, message } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return [
        `Error: No broker runs from ${of}: there is no ${socket}.`,
        "  Start it with 'zancudo'. One that was started with -c has a socket when its file has a line 'admin_socket PATH';",
        '  it is asked with --socket PATH, or with -c FILE.',
      ];
    case 'ECONNREFUSED':
      return [`Error: The broker of ${of} has ended: nobody answers on ${socket}.`, "  Start it again with 'zancudo'."];
    case 'EACCES':
    case 'EPERM':
      return [
        `Error: This user may not open ${socket}.`,
        '  It is for the user that the broker runs as, and for root: sudo, or sudo -u USER.',
      ];
    case 'ECONNRESET':
    case 'EPIPE':
      return ['Error: The broker has stopped before it had answered.'];
    default:
      if (code === undefined) throw error;
      return [`Error: ${socket}: ${message}.`];
  }
}
