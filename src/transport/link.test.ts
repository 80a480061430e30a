import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { SocketLink } from './link.ts';
import { Witness, endOfTurn, linkPair, receive } from './shared.test.ts';
import { WriteScheduler } from './write-scheduler.ts';

/** Counts what reaches the kernel; `takes` says whether it takes everything at once. */
class FakeSocket extends EventEmitter {
  written: Buffer[] = [];
  /** What was taken at once is copied, as the kernel does; what waits must stay as it is until then. */
  content: Buffer[] = [];
  systemCalls = 0;
  writable = true;
  writableLength = 0;
  takes = true;
  /** How it was closed. */
  closed: 'at once' | 'when written' | null = null;
  private corked = 0;
  private whenTaken: (() => void)[] = [];

  isPaused(): boolean {
    return false;
  }

  write(bytes: Buffer, callback?: () => void): boolean {
    if (callback) this.whenTaken.push(callback);
    if (bytes.length > 0) {
      this.written.push(bytes);
      this.content.push(this.takes ? Buffer.from(bytes) : bytes);
      if (this.corked === 0) this.systemCalls++;
    }
    if (!this.takes) this.writableLength += bytes.length;
    return this.takes;
  }

  cork(): void {
    this.corked++;
  }

  uncork(): void {
    this.corked--;
    this.systemCalls++;
  }

  destroy(): void {
    this.closed = 'at once';
  }

  destroySoon(): void {
    this.closed = 'when written';
  }

  takeAll(): void {
    this.writableLength = 0;
    this.takes = true;
    for (const callback of this.whenTaken.splice(0)) callback();
  }
}

function fakeLink(scheduler = new WriteScheduler()): { link: SocketLink; socket: FakeSocket; witness: Witness } {
  const socket = new FakeSocket();
  const link = new SocketLink(socket as unknown as Socket, scheduler);
  const witness = new Witness();
  link.handler = witness;
  return { link, socket, witness };
}

test('what is written in one turn leaves in one write, whatever buffers it came from', async () => {
  const { link, socket } = fakeLink();
  const [a, b] = [Buffer.from('abcdef'), Buffer.from('uvwxyz')];
  link.write(a, 0, 2);
  link.write(b, 1, 3);
  link.write(a, 2, 6);
  assert.equal(socket.written.length, 0);
  await endOfTurn();
  assert.equal(socket.systemCalls, 1);
  assert.equal(Buffer.concat(socket.content).toString(), 'abvwcdef');
});

test('neighbouring ranges of one buffer go out as one view of it, without a copy', async () => {
  const { link, socket } = fakeLink();
  const bytes = Buffer.from('0123456789');
  link.write(bytes, 2, 4);
  link.write(bytes, 4, 9);
  await endOfTurn();
  assert.equal(socket.written.length, 1);
  assert.equal(socket.written[0]!.buffer, bytes.buffer);
  assert.equal(socket.written[0]!.toString(), '2345678');
});

test('a turn of more than 64 kB leaves in one writev, large ranges uncopied', async () => {
  const { link, socket } = fakeLink();
  const large = Buffer.alloc(100_000, 1);
  const small = Buffer.from('head');
  link.write(small, 0, 4);
  link.write(large, 0, large.length);
  link.write(small, 0, 2);
  link.write(small, 1, 3);
  await endOfTurn();
  assert.equal(socket.systemCalls, 1);
  assert.ok(socket.written.some(piece => piece.buffer === large.buffer));
  assert.deepEqual(Buffer.concat(socket.content), Buffer.concat([small, large, Buffer.from('heea')]));
});

test('two links written to in one turn get one write each', async () => {
  const scheduler = new WriteScheduler();
  const links = [fakeLink(scheduler), fakeLink(scheduler)];
  const bytes = Buffer.from('shared');
  for (let i = 0; i < 10; i++) for (const { link } of links) link.write(bytes, 0, 6);
  await endOfTurn();
  assert.deepEqual(
    links.map(({ socket }) => socket.systemCalls),
    [1, 1],
  );
});

test('flush() does not wait for the end of the turn', () => {
  const { link, socket } = fakeLink();
  link.write(Buffer.from('now'), 0, 3);
  link.flush();
  assert.equal(Buffer.concat(socket.content).toString(), 'now');
});

test('the slab is used again only after the kernel has taken what lay in it', async () => {
  const scheduler = new WriteScheduler();
  const slow = fakeLink(scheduler);
  const quick = fakeLink(scheduler);
  slow.socket.takes = false;
  const write = ({ link }: { link: SocketLink }, text: string): void => {
    link.write(Buffer.from(text), 0, 1);
    link.write(Buffer.from(text), 1, text.length);
  };
  for (const round of ['first', 'other', 'third']) {
    write(slow, `slow ${round}`);
    write(quick, `quick ${round}`);
    await endOfTurn();
  }
  assert.equal(Buffer.concat(slow.socket.content).toString(), 'slow firstslow otherslow third');
  const [a, b] = quick.socket.written;
  assert.equal(a!.byteOffset, b!.byteOffset);
});

test('after each turn it is told whether any link holds something of it, and since when anything is held', async () => {
  const scheduler = new WriteScheduler();
  let told: [number, boolean, number] = [0, false, 0];
  scheduler.whenFlushed = (...words) => void (told = words);
  const [quick, slow] = [fakeLink(scheduler), fakeLink(scheduler)];
  const turn = async (...links: { link: SocketLink }[]): Promise<[isHeld: boolean, turnsHeld: number]> => {
    for (const { link } of links) link.write(Buffer.from('bytes'), 0, 5);
    await endOfTurn();
    const [number, isHeld, since] = told;
    return [isHeld, number - since];
  };
  assert.deepEqual(await turn(quick, slow), [false, -Infinity]);
  slow.socket.takes = false;
  // A link that is held up may hold what was written in the turn before, after its flush.
  assert.deepEqual(await turn(quick, slow), [true, 1]);
  // What the slow one holds is of an earlier turn.
  assert.deepEqual(await turn(quick), [false, 2]);
  assert.deepEqual(await turn(slow), [true, 3]);
  slow.socket.takeAll();
  assert.deepEqual(await turn(quick, slow), [false, -Infinity]);
});

test('what is written goes out before the end of the turn when more than half a megabyte was read in it', async () => {
  const scheduler = new WriteScheduler();
  const { link, socket } = fakeLink(scheduler);
  const afterThisRead = (): Promise<void> => new Promise(resolve => process.nextTick(resolve));
  scheduler.heard(600_000);
  link.write(Buffer.from('first'), 0, 5);
  assert.equal(socket.written.length, 0);
  await afterThisRead();
  assert.equal(Buffer.concat(socket.content).toString(), 'first');
  link.write(Buffer.from('second'), 0, 6);
  scheduler.heard(10);
  await afterThisRead();
  assert.equal(Buffer.concat(socket.content).toString(), 'first');
  await endOfTurn();
  assert.equal(Buffer.concat(socket.content).toString(), 'firstsecond');
});

test('a link that closes with what it could not get rid of holds nothing any more', async () => {
  const scheduler = new WriteScheduler();
  let heldSince = 0;
  scheduler.whenFlushed = (_turn, _isHeld, since) => void (heldSince = since);
  const [quick, slow] = [fakeLink(scheduler), fakeLink(scheduler)];
  slow.socket.takes = false;
  for (const { link } of [quick, slow]) link.write(Buffer.from('bytes'), 0, 5);
  await endOfTurn();
  assert.notEqual(heldSince, Infinity);
  slow.socket.emit('close');
  quick.link.write(Buffer.from('bytes'), 0, 5);
  await endOfTurn();
  assert.equal(heldSince, Infinity);
});

test('a link is blocked while the kernel holds back bytes, counts its writes, and says once when all are gone', async () => {
  const { link, socket, witness } = fakeLink();
  socket.takes = false;
  const bytes = Buffer.from('0123456789');
  link.write(bytes, 0, 10);
  await endOfTurn();
  assert.equal(link.blocked, true);
  link.write(bytes, 0, 4);
  link.write(bytes, 0, 4);
  assert.equal(link.pendingBytes, 18);
  assert.equal(link.pendingWrites, 3);
  await endOfTurn();
  socket.takeAll();
  assert.equal(link.blocked, false);
  assert.equal(link.pendingWrites, 0);
  assert.equal(link.pendingBytes, 0);
  assert.equal(witness.drains, 1);
});

test('a slow peer does not keep a large buffer in memory for a short piece of it', async () => {
  const { link, socket } = fakeLink();
  socket.takes = false;
  const chunk = Buffer.alloc(65_536);
  link.write(chunk, 0, 10);
  await endOfTurn();
  link.write(chunk, 20, 30);
  await endOfTurn();
  assert.notEqual(socket.written[1]!.buffer, chunk.buffer);
});

test('nothing throws and nothing is called after the link is closed', async () => {
  const { link, socket, witness } = fakeLink();
  link.write(Buffer.from('lost'), 0, 4);
  socket.writable = false;
  socket.emit('close');
  socket.emit('close');
  link.write(Buffer.from('late'), 0, 4);
  socket.emit('data', Buffer.from('late'));
  link.end();
  link.destroy();
  link.flush();
  await endOfTurn();
  assert.equal(witness.ends.length, 1);
  assert.equal(witness.chunks.length, 0);
  assert.equal(socket.written.length, 0);
});

test('any sequence of ranges arrives as it was written', async () => {
  const ranges = fc.array(
    fc.record({
      buffer: fc.nat(2),
      start: fc.nat(40_000),
      length: fc.oneof(fc.nat(20), fc.nat(40_000)),
      turn: fc.boolean(),
    }),
    { maxLength: 40 },
  );
  const buffers = [randomBytes(80_000), randomBytes(80_000), randomBytes(80_000)];
  await fc.assert(
    fc.asyncProperty(ranges, fc.boolean(), async (writes, takes) => {
      const { link, socket } = fakeLink();
      socket.takes = takes;
      const expected: Buffer[] = [];
      for (const { buffer, start, length, turn } of writes) {
        link.write(buffers[buffer]!, start, start + length);
        expected.push(buffers[buffer]!.subarray(start, start + length));
        if (turn) await endOfTurn();
      }
      await endOfTurn();
      assert.ok(Buffer.concat(socket.content).equals(Buffer.concat(expected)));
    }),
    { numRuns: 60 },
  );
});

test('bytes go both ways over a real connection', async t => {
  const { link, witness, peer } = await linkPair(t);
  peer.write('hello');
  await witness.until(() => witness.bytes.length === 5);
  link.write(Buffer.from('good day'), 5, 8);
  assert.equal((await receive(peer, 3)).toString(), 'day');
  assert.equal(link.heard, true);
});

test('a reader that stops gets every byte once it reads again, and the link tells its owner', async t => {
  const { link, witness, peer } = await linkPair(t);
  peer.pause();
  const block = randomBytes(1 << 20);
  for (let i = 0; i < 16; i++) {
    link.write(block, 0, block.length);
    await endOfTurn();
  }
  assert.equal(link.blocked, true);
  assert.ok(link.pendingBytes > 0);
  const received = receive(peer, 16 * block.length);
  peer.resume();
  const all = await received;
  await witness.until(() => witness.drains > 0);
  assert.ok(all.subarray(15 * block.length).equals(block));
  assert.equal(link.blocked, false);
  assert.equal(link.pendingBytes, 0);
});

test('pause() stops reading, resume() goes on without losing a byte', async t => {
  const { link, witness, peer } = await linkPair(t);
  link.pause();
  peer.write(Buffer.alloc(200_000, 7));
  await endOfTurn();
  const before = witness.bytes.length;
  link.resume();
  await witness.until(() => witness.bytes.length === 200_000);
  assert.ok(before < 200_000);
});

test('end() sends what is waiting before it closes', async t => {
  const { link, witness, peer } = await linkPair(t);
  link.write(Buffer.from('goodbye'), 0, 7);
  link.end();
  assert.equal((await receive(peer, 7)).toString(), 'goodbye');
  await once(peer, 'end');
  await witness.until(() => witness.ends.length > 0);
  assert.deepEqual(witness.ends, [{ by: 'us' }]);
});

test(
  'a peer that has said goodbye gets what is waiting, and its own close is not awaited',
  { timeout: 10_000 },
  async t => {
    const { link, witness, peer } = await linkPair(t);
    peer.allowHalfOpen = true;
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const block = Buffer.alloc(1 << 20, 'x');
    for (let i = 0; i < 8; i++) link.write(block, 0, block.length);
    link.end(undefined, true);
    assert.equal((await receive(peer, 8 * block.length)).length, 8 * block.length);
    await witness.until(() => witness.ends.length > 0);
    assert.deepEqual(witness.ends, [{ by: 'us' }]);
  },
);

test('after a goodbye a plain link is closed as soon as the kernel has everything, a TLS link with its last record', t => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  for (const [takes, encrypted, closed] of [
    [true, false, 'at once'],
    [false, false, 'when written'],
    [true, true, 'when written'],
  ] as const) {
    const socket = Object.assign(new FakeSocket(), { takes, encrypted });
    const link = new SocketLink(socket as unknown as Socket, new WriteScheduler());
    link.write(Buffer.from('last'), 0, 4);
    link.end(undefined, true);
    assert.equal(Buffer.concat(socket.content).toString(), 'last');
    assert.equal(socket.closed, closed);
  }
});

test('end() closes even when the peer keeps its side open and never reads', async t => {
  const { link, witness, peer } = await linkPair(t);
  peer.pause();
  const block = Buffer.alloc(1 << 20);
  for (let i = 0; i < 16; i++) link.write(block, 0, block.length);
  link.end();
  await witness.until(() => witness.ends.length > 0);
  assert.equal(witness.ends.length, 1);
});

test('a peer that closes, one that resets and a link of ours that is destroyed are told apart', async t => {
  const closes = await linkPair(t);
  closes.peer.end();
  await closes.witness.until(() => closes.witness.ends.length > 0);
  assert.deepEqual(closes.witness.ends, [{ by: 'peer' }]);

  const resets = await linkPair(t);
  resets.peer.resetAndDestroy();
  await resets.witness.until(() => resets.witness.ends.length > 0);
  assert.deepEqual(resets.witness.ends, [{ by: 'error', text: 'Connection reset by peer' }]);

  const ours = await linkPair(t);
  ours.link.destroy();
  await ours.witness.until(() => ours.witness.ends.length > 0);
  assert.deepEqual(ours.witness.ends, [{ by: 'us' }]);
});

test('links share their listeners: a thousand of them add no function', async t => {
  const { socket: one } = await linkPair(t);
  const { socket: two } = await linkPair(t);
  for (const event of ['data', 'error', 'close', 'end']) {
    assert.equal(one.listeners(event).at(-1), two.listeners(event).at(-1), event);
  }
});
