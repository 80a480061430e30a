/** SOCKS5 (RFC 1928) with user name and password (RFC 1929): the proxy resolves the name and connects. */
import type { Socket } from 'node:net';
import { ClientError } from './client-error.ts';
import type { ProxyOptions } from './options.ts';

const NO_AUTHENTICATION = 0x00;
const USERNAME_PASSWORD = 0x02;

/** Replies of RFC 1928, 6. */
const replies: Record<number, string> = {
  1: 'general failure',
  2: 'its rules forbid it',
  3: 'network unreachable',
  4: 'host unreachable',
  5: 'connection refused',
  6: 'time to live expired',
  7: 'command not supported',
  8: 'address type not supported',
};

export async function throughProxy(socket: Socket, proxy: ProxyOptions, host: string, port: number): Promise<void> {
  const reader = new ExactReader(socket);
  try {
    await greet(socket, reader, proxy);
    await askFor(socket, reader, host, port);
  } finally {
    reader.release();
  }
}

async function greet(socket: Socket, reader: ExactReader, proxy: ProxyOptions): Promise<void> {
  const method = proxy.username === undefined ? NO_AUTHENTICATION : USERNAME_PASSWORD;
  socket.write(Buffer.from([5, 1, method]));
  const answer = await reader.read(2);
  if (answer[0] !== 5) throw proxyError('proxy.protocol', 'The proxy does not speak SOCKS5.');
  if (answer[1] === 0xff) {
    throw proxyError(
      'proxy.method',
      proxy.username === undefined
        ? 'The proxy wants a user name and password.'
        : 'The proxy does not take a user name and password.',
    );
  }
  if (answer[1] === USERNAME_PASSWORD) await logIn(socket, reader, proxy);
}

async function logIn(socket: Socket, reader: ExactReader, proxy: ProxyOptions): Promise<void> {
  const user = Buffer.from(proxy.username ?? '');
  const password = Buffer.from(proxy.password ?? '');
  if (user.length > 255 || password.length > 255) {
    throw proxyError('proxy.credentials', 'SOCKS5 takes user names and passwords of 255 bytes at most.');
  }
  socket.write(Buffer.concat([Buffer.from([1, user.length]), user, Buffer.from([password.length]), password]));
  const [, status] = await reader.read(2);
  if (status !== 0) throw proxyError('proxy.refused', 'The proxy refused the user name or password.');
}

async function askFor(socket: Socket, reader: ExactReader, host: string, port: number): Promise<void> {
  const name = Buffer.from(host);
  if (name.length > 255) throw proxyError('proxy.name', 'SOCKS5 takes host names of 255 bytes at most.');
  const end = Buffer.from([port >> 8, port & 0xff]);
  socket.write(Buffer.concat([Buffer.from([5, 1, 0, 3, name.length]), name, end]));
  const head = await reader.read(4);
  if (head[1] !== 0) {
    const why = replies[head[1] as number] ?? `reply ${head[1]}`;
    throw proxyError('proxy.connect', `The proxy could not reach ${host}:${port}: ${why}.`);
  }
  // The bound address is of no interest, but stands before the first byte of the broker.
  if (head[3] === 1) await reader.read(4 + 2);
  else if (head[3] === 4) await reader.read(16 + 2);
  else await reader.read(((await reader.read(1))[0] as number) + 2);
}

function proxyError(code: string, message: string): ClientError {
  return new ClientError({ code, kind: 'proxy', message });
}

/** Takes exactly as many bytes from the socket as asked for, and leaves the rest to whoever is next. */
class ExactReader {
  private readonly socket: Socket;
  private kept: Buffer = Buffer.alloc(0);
  private wanted = 0;
  private resolve: ((bytes: Buffer) => void) | null = null;
  private reject: ((error: Error) => void) | null = null;
  private readonly onData = (chunk: Buffer): void => {
    this.kept = Buffer.concat([this.kept, chunk]);
    this.serve();
  };
  private readonly onEnd = (): void => {
    this.reject?.(proxyError('proxy.closed', 'The proxy closed the connection.'));
  };

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', this.onData);
    socket.on('end', this.onEnd);
    socket.on('error', this.onEnd);
  }

  read(bytes: number): Promise<Buffer> {
    this.wanted = bytes;
    return new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
      this.serve();
    });
  }

  release(): void {
    this.socket.pause();
    this.socket.off('data', this.onData);
    this.socket.off('end', this.onEnd);
    this.socket.off('error', this.onEnd);
    if (this.kept.length > 0) this.socket.unshift(this.kept);
  }

  private serve(): void {
    if (this.resolve === null || this.kept.length < this.wanted) return;
    const bytes = this.kept.subarray(0, this.wanted);
    this.kept = this.kept.subarray(this.wanted);
    const resolve = this.resolve;
    this.resolve = null;
    resolve(bytes);
  }
}
