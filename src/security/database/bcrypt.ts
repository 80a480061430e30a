/** bcrypt on a thread of its own, started with the first such password: a check is 60 ms and more of plain JavaScript. */
import { isUtf8 } from 'node:buffer';
import { Worker } from 'node:worker_threads';
import { Answered } from './gate.ts';

export interface BcryptRequest {
  id: number;
  password: string;
  encoded: string;
}

export interface BcryptReply {
  id: number;
  fits: boolean;
  /** Set when the package is not there, or does not like the hash. */
  error?: string;
}

let worker: Worker | null = null;
let lastId = 0;
const open = new Map<number, (reply: BcryptReply) => void>();

export async function checkBcrypt(password: Buffer, encoded: string): Promise<boolean> {
  // The package takes text alone, and bytes that are none would be read as the same sign.
  if (!isUtf8(password)) return false;
  const request: BcryptRequest = { id: ++lastId, password: password.toString(), encoded };
  const { fits, error } = await new Promise<BcryptReply>(resolve => {
    open.set(request.id, resolve);
    (worker ??= start()).postMessage(request);
  });
  if (error !== undefined) throw new Answered(error);
  return fits;
}

function start(): Worker {
  // scripts/bundle.mjs knows this way to name a file: in a bundle it is the worker's own.
  const started = new Worker(new URL('./bcrypt-worker.ts', import.meta.url));
  started.unref();
  started.on('message', (reply: BcryptReply) => {
    open.get(reply.id)?.(reply);
    open.delete(reply.id);
  });
  started.on('error', (error: Error) => giveUp(error.message));
  started.on('exit', () => giveUp('the thread that checks bcrypt has ended'));
  return started;
}

function giveUp(error: string): void {
  worker = null;
  for (const [id, resolve] of open) resolve({ id, fits: false, error });
  open.clear();
}
