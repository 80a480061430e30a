/**
 * The broker writes what goes out to the same memory turn after turn. Whoever reads late must still get what was meant
 * for him, over TCP and TLS, while others read at once.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { test } from 'node:test';
import tls from 'node:tls';
import { connect, makeCertificates, publish, readPacket, startBroker, subscribe, temporaryDirectory, until } from './harness/mod.ts'; // prettier-ignore

const MESSAGES = 900;
/** One reader stands still for so many messages, reads on for as many, and so on: 3 MB. */
const STUTTER = 150;
/** More than the kernel and the broker hold for a reader that stands still: some are dropped, none may be changed. */
const PAYLOAD_BYTES = 20_000;

/** A subscriber that reads when it is told to. */
class Reader {
  readonly numbers: number[] = [];
  readonly #socket: net.Socket;
  #bytes: Buffer = Buffer.alloc(0);

  static async open(port: number, encrypted: boolean, clientId: string): Promise<Reader> {
    const socket = encrypted
      ? tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
      : net.connect(port, '127.0.0.1');
    await once(socket, encrypted ? 'secureConnect' : 'connect');
    socket.write(Buffer.concat([connect({ clientId }), subscribe({ filters: [['t', 0]] })]));
    return new Reader(socket);
  }

  constructor(socket: net.Socket) {
    this.#socket = socket;
    socket.on('data', chunk => this.#take(chunk));
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    for (let read = readPacket(this.#bytes, 4); read !== null; read = readPacket(this.#bytes, 4)) {
      this.#bytes = read.rest;
      if (read.packet.type === 'publish') this.#check(read.packet.bytes.subarray(-PAYLOAD_BYTES));
    }
  }

  #check(payload: Buffer): void {
    const number = payload.readUInt32BE(0);
    assert.ok(
      payload.subarray(4).every(byte => byte === number % 251),
      `message ${number} was changed`,
    );
    this.numbers.push(number);
  }
}

function numbered(number: number): Buffer {
  const payload = Buffer.alloc(PAYLOAD_BYTES, number % 251);
  payload.writeUInt32BE(number, 0);
  return publish({ topic: 't', payload });
}

test('a reader who falls behind gets messages as they were, and so do those who read at once', async t => {
  const directory = temporaryDirectory();
  t.after(() => directory.remove());
  const file = await makeCertificates(directory.path);
  const secured = `certfile ${file('server.crt')}\nkeyfile ${file('server.key')}`;
  const broker = await startBroker({
    conf: at =>
      `listener ${at.port(0)} 127.0.0.1\nlistener ${at.port(1)} 127.0.0.1\n${secured}\nallow_anonymous true\n`,
  });
  t.after(() => broker.stop());
  const [plain, encrypted] = broker.ports as [number, number];
  const late = [await Reader.open(plain, false, 'late'), await Reader.open(encrypted, true, 'late-tls')];
  const quick = [await Reader.open(plain, false, 'quick'), await Reader.open(encrypted, true, 'quick-tls')];
  const stutters = [await Reader.open(plain, false, 'stutters'), await Reader.open(encrypted, true, 'stutters-tls')];
  t.after(() => [...late, ...stutters, ...quick].forEach(reader => reader.close()));
  const sender = net.connect(plain, '127.0.0.1');
  t.after(() => sender.destroy());
  sender.write(connect({ clientId: 'sender' }));
  for (const reader of late) reader.pause();
  for (let number = 0; number < MESSAGES; number++) {
    for (const reader of stutters) {
      if (number % (2 * STUTTER) === 0) reader.pause();
      else if (number % STUTTER === 0) reader.resume();
    }
    sender.write(numbered(number));
    if (number % 10 === 9) await until('those who read at once have it', () => quick.every(has(number)));
  }
  for (const reader of [...late, ...stutters]) reader.resume();
  await until('the late ones have read on', () => late.every(({ numbers }) => numbers.length > 20));
  // One that comes while a reader is still behind is dropped for it; so the last is sent until all have caught up.
  await until('the stuttering ones have the last', () => {
    sender.write(numbered(MESSAGES));
    return stutters.every(has(MESSAGES));
  });
  for (const { numbers } of [...late, ...stutters])
    assert.deepEqual(
      numbers,
      [...numbers].sort((a, b) => a - b),
    );
});

const has =
  (number: number) =>
  ({ numbers }: Reader): boolean =>
    numbers.at(-1) === number;
