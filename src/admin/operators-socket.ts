/**
 * The operators' socket: a Unix socket that only its owner (and root) can open, and HTTP on it. To be able to open it
 * is all the permission there is.
 *
 *   HOME/run/            0700, made when it is missing
 *     operators.sock     0600, bound under a umask so that it never is anything else; gone when the broker ends in order
 *
 * A socket that nobody answers on is what an earlier broker left behind, and is replaced. One that answers belongs to
 * another broker, and any other kind of file to somebody else: both stay.
 */
import fs from 'node:fs';
import { connect, type Server } from 'node:net';
import path from 'node:path';
import { httpLimits, makeServer } from './http-server.ts';
import { operatorRoutes } from './operator-routes.ts';
import type { OperatorPorts } from './ports.ts';
import { dispatch } from './router.ts';
import { shortPath } from './socket-path.ts';

export interface OperatorsSocket {
  close(): Promise<void>;
}

/** Why there is none; lines for the log. The broker runs without. */
export interface NoSocket {
  refused: readonly string[];
}

export async function openOperatorsSocket(file: string, ports: OperatorPorts): Promise<OperatorsSocket | NoSocket> {
  try {
    fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    const taken = await whoHas(file);
    if (taken !== null) return { refused: refusal(file, taken) };
    return await serve(file, ports);
  } catch (error) {
    return { refused: refusal(file, systemText(error)) };
  }
}

function refusal(file: string, why: string): string[] {
  return [
    `Warning: the operators' socket ${file} is not open: ${why}.`,
    "  'zancudo status' and its like do not reach this broker; 'admin_socket PATH' names another place.",
  ];
}

function systemText(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === undefined) throw error;
  return code === 'EACCES' || code === 'EPERM' ? `this user may not write there (${code})` : message;
}

/** Null when the place is free; what an earlier broker has left is removed. */
async function whoHas(file: string): Promise<string | null> {
  const there = fs.lstatSync(file, { throwIfNoEntry: false });
  if (there === undefined) return null;
  if (!there.isSocket()) return 'something of that name is there, and is no socket';
  if (await answers(file)) return 'another broker serves it';
  fs.unlinkSync(file);
  return null;
}

function answers(file: string): Promise<boolean> {
  const short = shortPath(file);
  return new Promise<boolean>(resolve => {
    const probe = connect(short.path);
    const say = (answer: boolean): void => {
      probe.destroy();
      resolve(answer);
    };
    probe.on('connect', () => say(true));
    // Whoever does not let us in is alive.
    probe.on('error', (error: NodeJS.ErrnoException) => say(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT'));
  }).finally(() => short.release());
}

async function serve(file: string, ports: OperatorPorts): Promise<OperatorsSocket> {
  const routes = operatorRoutes(ports);
  const onFault = (error: unknown): void => ports.log.write('error', faultLine(error), 'broker.fault');
  const server = await makeServer((request, response) => void dispatch(routes, request, response, onFault), httpLimits);
  server.requestTimeout = 0;
  const release = await listen(server, file);
  const { ino } = fs.statSync(file);
  return {
    close: async () => {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
      release();
      removeOurs(file, ino);
    },
  };
}

function faultLine(error: unknown): string {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `Error: internal fault on the operators' socket. Please report: ${text}`;
}

/** Returns what is to be called when the server is closed: until then Node knows the file by its short path. */
async function listen(server: Server, file: string): Promise<() => void> {
  const short = shortPath(file);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.once('listening', resolve);
      // The file is made inside listen(), before this returns to the event loop.
      const umask = process.umask(0o177);
      server.listen(short.path);
      process.umask(umask);
    });
    return () => short.release();
  } catch (error) {
    short.release();
    throw error;
  }
}

/** Node has removed it on closing, unless the path was a long one; another broker's is left alone. */
function removeOurs(file: string, ino: number): void {
  const there = fs.lstatSync(file, { throwIfNoEntry: false });
  if (there?.ino === ino) fs.unlinkSync(file);
}
