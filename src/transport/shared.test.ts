/** What the tests of this folder share: links over real sockets, and a handler that remembers what it was told. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { SocketLink, type LinkEnd, type LinkHandler } from './link.ts';
import { WriteScheduler } from './write-scheduler.ts';

export class Witness implements LinkHandler {
  chunks: Buffer[] = [];
  drains = 0;
  ends: LinkEnd[] = [];
  private readonly waiting: (() => void)[] = [];

  get bytes(): Buffer {
    return Buffer.concat(this.chunks);
  }

  onBytes(chunk: Buffer): void {
    this.chunks.push(Buffer.from(chunk));
    this.wake();
  }

  onDrain(): void {
    this.drains++;
    this.wake();
  }

  onClose(end: LinkEnd): void {
    this.ends.push(end);
    this.wake();
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>(resolve => this.waiting.push(resolve));
  }

  private wake(): void {
    for (const resolve of this.waiting.splice(0)) resolve();
  }
}

export interface Pair {
  link: SocketLink;
  witness: Witness;
  /** Our side of the connection, under the link. */
  socket: Socket;
  peer: Socket;
  scheduler: WriteScheduler;
}

/** A link over a loopback connection; everything is closed when the test ends. */
export async function linkPair(t: TestContext, scheduler = new WriteScheduler()): Promise<Pair> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const peer = connect(port, '127.0.0.1');
  peer.on('error', () => {});
  const [socket] = (await once(server, 'connection')) as [Socket];
  const link = new SocketLink(socket, scheduler);
  const witness = new Witness();
  link.handler = witness;
  t.after(() => {
    peer.destroy();
    socket.destroy();
    server.close();
  });
  return { link, witness, socket, peer, scheduler };
}

/** Everything the peer receives until `length` bytes are there. */
export function receive(peer: Socket, length: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let total = 0;
  return new Promise(resolve => {
    // One listener to the end: a socket that goes on after a pause may emit several chunks in one turn.
    const take = (chunk: Buffer): void => {
      chunks.push(chunk);
      total += chunk.length;
      if (total < length) return;
      peer.off('data', take);
      resolve(Buffer.concat(chunks));
    };
    peer.on('data', take);
  });
}

export function endOfTurn(): Promise<void> {
  return new Promise(resolve => setImmediate(() => setImmediate(resolve)));
}
