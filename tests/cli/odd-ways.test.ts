/** Ways to a broker that few take: a SOCKS5 proxy and SRV records; and what happens when the way is cut. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import {
  Background,
  findProgram,
  freePort,
  Namespace,
  needs,
  run,
  startBroker,
  temporaryDirectory,
  until,
  zancudo,
  type Broker,
} from '../harness/mod.ts';

const clean = { ...process.env, XDG_CONFIG_HOME: '/nonexistent', ZANCUDO_HOME: '/nonexistent', NO_COLOR: '1' };
const client = (args: string[], input = '') => run(zancudo, args, { env: clean, input });

async function openBroker(t: TestContext): Promise<Broker> {
  const broker = await startBroker({
    conf: at => `listener ${at.port(0)} 127.0.0.1\nallow_anonymous true\nlog_type all\n`,
  });
  t.after(() => broker.stop());
  return broker;
}

async function listen(t: TestContext, server: Server): Promise<number> {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** RFC 1928 and 1929, as far as a test needs them; `credentials` is `user:password`, or null for none. */
function proxy(credentials: string | null, asked: string[], reply = 0): Server {
  return createServer(socket => {
    socket.on('error', () => socket.destroy());
    socket.once('data', greeting => {
      const method = credentials === null ? 0 : 2;
      if (!greeting.subarray(2).includes(method)) return void socket.end(Buffer.from([5, 0xff]));
      socket.write(Buffer.from([5, method]));
      if (method === 0) return serveRequest(socket, asked, reply);
      socket.once('data', login => {
        const userBytes = login[1]!;
        const [user, password] = [login.subarray(2, 2 + userBytes), login.subarray(3 + userBytes)];
        const isRight = `${user.toString()}:${password.toString()}` === credentials;
        socket.write(Buffer.from([1, isRight ? 0 : 1]));
        serveRequest(socket, asked, reply);
      });
    });
  });
}

function serveRequest(socket: Socket, asked: string[], reply: number): void {
  socket.once('data', request => {
    const name = request.subarray(5, 5 + request[4]!).toString();
    const port = request.readUInt16BE(request.length - 2);
    asked.push(name);
    if (reply !== 0) return void socket.end(Buffer.from([5, reply, 0, 1, 0, 0, 0, 0, 0, 0]));
    const onward = connect(port, '127.0.0.1', () => {
      socket.write(Buffer.from([5, 0, 0, 1, 127, 0, 0, 1, 0, 0]));
      socket.pipe(onward).pipe(socket);
    });
    onward.on('error', () => socket.destroy());
  });
}

test('--proxy: the proxy resolves the name and connects, with a password or without', async t => {
  const broker = await openBroker(t);
  const asked: string[] = [];
  const [open, closed] = [await listen(t, proxy(null, asked)), await listen(t, proxy('me:p@ss', asked))];
  for (const url of [`socks5h://127.0.0.1:${open}`, `socks5h://me:p%40ss@127.0.0.1:${closed}`]) {
    const way = ['--proxy', url, '-h', 'broker.invalid', '-p', String(broker.ports[0])];
    const sent = await client(['pub', ...way, '-t', 'a', '-m', 'b', '-q', '1']);
    assert.equal(sent.code, 0, sent.output);
  }
  assert.deepEqual(asked, ['broker.invalid', 'broker.invalid']);
});

test('--proxy: what the proxy refuses is told as such', async t => {
  const [closed, strict] = [await listen(t, proxy('me:right', [])), await listen(t, proxy(null, [], 2))];
  const nobody = await freePort();
  const cases: [string, RegExp][] = [
    [`me:wrong@127.0.0.1:${closed}`, /The proxy refused the user name or password\./],
    [`127.0.0.1:${closed}`, /The proxy wants a user name and password\./],
    [`127.0.0.1:${strict}`, /The proxy could not reach b:1883: its rules forbid it\./],
    [`127.0.0.1:${nobody}`, /proxy 127\.0\.0\.1:\d+ could not be reached: nothing listens there/],
  ];
  for (const [address, says] of cases) {
    const result = await client(['pub', '--proxy', `socks5h://${address}`, '-h', 'b', '-t', 'a', '-m', 'b']);
    assert.equal(result.code, 1);
    assert.match(result.stderr, says);
  }
});

/** Answers every question for SRV records with one, and others with none. */
const nameServer = `
import socket, struct, sys
target, port = sys.argv[1], int(sys.argv[2])
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(('127.0.0.1', 53))
print('listening', flush=True)
while True:
    query, peer = server.recvfrom(512)
    at = 12
    labels = []
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode()); at += query[at] + 1
    question = query[12:at + 5]
    print('.'.join(labels), flush=True)
    isService = struct.unpack('>H', query[at + 1:at + 3])[0] == 33 and labels[0] == '_mqtt'
    name = b''.join(bytes([len(part)]) + part.encode() for part in target.split('.')) + b'\\0'
    data = struct.pack('>HHH', 1, 1, port) + name
    answer = b'\\xc0\\x0c' + struct.pack('>HHIH', 33, 1, 60, len(data)) + data if isService else b''
    server.sendto(query[:2] + b'\\x81\\x80\\0\\1' + (b'\\0\\1' if isService else b'\\0\\0') + b'\\0\\0\\0\\0' + question + answer, peer)
`;

test('-S finds the broker by the SRV records of the domain', needs('root', 'ip', '/usr/bin/python3'), async t => {
  const namespace = new Namespace();
  const directory = temporaryDirectory();
  t.after(() => (namespace.remove(), directory.remove()));
  const resolver = join(directory.path, 'resolv.conf');
  writeFileSync(resolver, 'nameserver 127.0.0.1\n');
  const script = join(directory.path, 'names.py');
  writeFileSync(script, nameServer);
  const names = new Background('/usr/bin/python3', [script, 'localhost', '1999'], { spawn: namespace.spawn });
  await names.says('listening');
  const conf = (): string => 'listener 1999 127.0.0.1\nallow_anonymous true\n';
  const broker = await startBroker({ conf, spawn: namespace.spawn });
  t.after(() => Promise.all([broker.stop(), names.stop()]));
  const inside = (args: string[]) => {
    const line = 'mount --bind "$1" /etc/resolv.conf && shift && exec "$@"';
    return namespace.run('/bin/sh', ['-c', line, 'sh', resolver, zancudo, ...args], { env: clean });
  };
  const sent = await inside(['pub', '-S', '-h', 'house.example', '-t', 'a', '-m', 'b', '-q', '1']);
  assert.equal(sent.code, 0, sent.output);
  assert.match(names.stdout, /_mqtt\._tcp\.house\.example/);
  const secure = await inside(['pub', '-S', '-h', 'house.example', '--tls-use-os-certs', '-t', 'a', '-m', 'b']);
  assert.equal(secure.code, 1);
  assert.match(secure.stderr, /There is no SRV record _secure-mqtt\._tcp\.house\.example\./);
});

test('pub -l goes on with the next line when the broker comes back: at QoS 2 none is lost, none comes twice', async t => {
  const directory = temporaryDirectory();
  t.after(() => directory.remove());
  const port = await freePort();
  const conf = (): string =>
    `listener ${port} 127.0.0.1\nallow_anonymous true\npersistence true\npersistence_location ${directory.path}/\n`;
  let broker = await startBroker({ conf });
  t.after(() => broker.stop());
  const way = ['-h', '127.0.0.1', '-p', String(port)];
  const keeper = ['-i', 'keeper', '-c', '-q', '2', '-t', 'lines'];
  assert.equal((await client(['sub', ...way, ...keeper, '-E'])).code, 0);
  const publisher = spawn(zancudo, ['pub', ...way, '-t', 'lines', '-l', '-q', '2', '-i', 'sender', '-c'], {
    env: clean,
  });
  t.after(() => publisher.kill('SIGKILL'));
  const ended = new Promise(resolve => publisher.once('close', resolve));
  const half = (from: number): string => Array.from({ length: 300 }, (_, n) => `${from + n}\n`).join('');
  publisher.stdin.write(half(0));
  await broker.logged(/as sender/);
  await broker.stop();
  publisher.stdin.end(half(300));
  broker = await startBroker({ conf });
  assert.equal(await ended, 0);
  const received = await client(['sub', ...way, ...keeper, '-C', '600']);
  assert.equal(received.stdout, half(0) + half(300));
});

test('SIGINT in a flood: what was received is printed whole, to a reader that is slow', async t => {
  const broker = await openBroker(t);
  const way = ['-h', '127.0.0.1', '-p', String(broker.ports[0])];
  const line = 'x'.repeat(5_000);
  const subscriber = spawn(zancudo, ['sub', ...way, '-t', 'flood'], { env: clean });
  t.after(() => subscriber.kill('SIGKILL'));
  subscriber.stdout.pause();
  await broker.logged(/flood/);
  const ended = new Promise(resolve => subscriber.once('close', resolve));
  const sent = await client(['pub', ...way, '-t', 'flood', '-l'], `${line}\n`.repeat(200));
  assert.equal(sent.code, 0, sent.output);
  let printed = '';
  subscriber.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString())).resume();
  subscriber.kill('SIGINT');
  assert.equal(await ended, 0);
  const whole = printed.split('\n');
  assert.equal(whole.pop(), '', 'the last line is whole');
  assert.ok(whole.every(each => each === line));
});

test('pub -l shows its progress on a terminal, and leaves nothing of it behind', needs('script'), async t => {
  const broker = await openBroker(t);
  const place = `-h 127.0.0.1 -p ${broker.ports[0]}`;
  // Standard error is the terminal that script(1) gives; the second line comes when the first has been shown.
  const directory = temporaryDirectory();
  t.after(() => directory.remove());
  const more = join(directory.path, 'more');
  const line = `mkfifo '${more}'; (echo a; cat '${more}') | '${zancudo}' pub ${place} -t a -l`;
  const terminal = spawn(findProgram('script') ?? '', ['-qec', line, '/dev/null'], { env: clean });
  t.after(() => terminal.kill());
  let shown = '';
  terminal.stdout.on('data', (chunk: Buffer) => (shown += chunk.toString()));
  const ended = new Promise(resolve => terminal.once('close', resolve));
  await until('the progress', () => /\r1 messages?/.test(shown));
  await writeFile(more, 'b\n');
  await ended;
  assert.match(shown, /\r\x1b\[K$/);
});
