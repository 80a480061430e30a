import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { SocketLink } from './link.ts';
import { endOfTurn, linkPair, Witness } from './shared.test.ts';
import { WriteScheduler } from './write-scheduler.ts';

/** Keeps what it must not keep: the chunks themselves. */
class Keeper extends Witness {
  readonly lent: Buffer[] = [];

  override onBytes(chunk: Buffer): void {
    this.lent.push(chunk);
    super.onBytes(chunk);
  }
}

test('two plain sockets are read into the same memory', async t => {
  const keepers = [new Keeper(), new Keeper()];
  for (const keeper of keepers) {
    const { link, peer } = await linkPair(t);
    link.handler = keeper;
    peer.write('hello');
    await keeper.until(() => keeper.bytes.length === 5);
    assert.equal(keeper.bytes.toString(), 'hello');
  }
  assert.equal(keepers[0]!.lent[0]!.buffer, keepers[1]!.lent[0]!.buffer);
});

test('a paused link hears nothing, however much comes, and all of it in order afterwards', async t => {
  const { link, witness, peer } = await linkPair(t);
  const all = Buffer.from(Array.from({ length: 300_000 }, (_, i) => i % 251));
  link.pause();
  peer.write(all);
  for (let turn = 0; turn < 20; turn++) await endOfTurn();
  // What was on its way when it was paused may still come, once.
  assert.ok(witness.chunks.length <= 1);
  link.resume();
  await witness.until(() => witness.bytes.length === all.length);
  assert.ok(witness.bytes.equals(all));
});

test('what was read before there was a link, and put back, comes first', async t => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const peer = connect((server.address() as { port: number }).port, '127.0.0.1');
  const [socket] = (await once(server, 'connection')) as [Socket];
  t.after(() => [peer.destroy(), socket.destroy(), server.close()]);
  peer.write('header first ');
  const [read] = (await once(socket, 'data')) as [Buffer];
  socket.pause();
  socket.unshift(read.subarray('header '.length));
  const witness = new Witness();
  new SocketLink(socket, new WriteScheduler()).handler = witness;
  peer.write('second');
  await witness.until(() => witness.bytes.length === 'first second'.length);
  assert.equal(witness.bytes.toString(), 'first second');
});
