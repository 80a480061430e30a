/**
 * Plain sockets are read into one piece of memory, lent to whoever they belong to for as long as one call lasts.
 *
 *   kernel ──> [ 64 kB, the same for all ] ──> SocketLink.received(chunk) ──> what is kept is copied
 *
 * Otherwise Node takes 64 kB anew for each read: malloc gives them and gets them back, V8 makes an object for them and,
 * since so much memory comes and goes, marks the whole heap again and again in the background (18 % of the CPU at 1 kB a
 * message).
 *
 * Node offers this to sockets that connect (`onread` of net.Socket). Those that a server accepts have the same fields and
 * the same handle; where a version of Node has not, they are read as ever. Not for TLS, where a write to one connection may
 * bring what another has to read, while what was read before is still being looked at.
 */
import type { Socket } from 'node:net';

const LENT_BYTES = 65_536;

/** Calls for more with true; Node stops reading the socket otherwise. */
export type LentReader = (this: Socket, bytes: number, memory: Buffer) => boolean;

type Lendable = Socket & { _handle?: { useUserBuffer?(memory: Buffer): void } | null; [field: symbol]: unknown };

interface Lending {
  memory: Buffer;
  /** Node's fields for the memory and for who is called. */
  memoryField: symbol;
  readerField: symbol;
}

let lending: Lending | null = null;

/**
 * From now on `reader` is called for what comes. What was read before and put back still comes as 'data'. False where this
 * Node cannot: then all comes as 'data'.
 */
export function readLent(socket: Socket, reader: LentReader): boolean {
  lending ??= prepare(socket);
  const { _handle: handle } = socket as Lendable;
  if (lending === null || typeof handle?.useUserBuffer !== 'function') return false;
  handle.useUserBuffer(lending.memory);
  (socket as Lendable)[lending.memoryField] = lending.memory;
  (socket as Lendable)[lending.readerField] = reader;
  return true;
}

function prepare(socket: Socket): Lending | null {
  const named = (name: string): symbol | undefined =>
    Object.getOwnPropertySymbols(socket).find(({ description }) => description === name);
  const memoryField = named('kBuffer');
  const readerField = named('kBufferCb');
  if (memoryField === undefined || readerField === undefined) return null;
  return { memory: Buffer.allocUnsafeSlow(LENT_BYTES), memoryField, readerField };
}
