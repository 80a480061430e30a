import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Delivery } from './delivery.ts';
import { Message } from './message.ts';
import { Session } from './session.ts';

const shelf = Buffer.allocUnsafeSlow(8192).fill('x');

function onTheShelf(start: number, text: string): Message {
  const length = shelf.write(text, start);
  const properties = shelf.subarray(start, start + 1);
  return new Message('a', Buffer.from('a'), shelf, properties, 2, false, 0, null, start, length);
}

function session(): Session {
  const totals = { messages: 0, payloadBytes: 0, windowBytes: 0 };
  return new Session('one', totals, { messages: 0, bytes: 0 });
}

test('what is half done when a client goes keeps nothing of others in memory', () => {
  const left = session();
  const [open, sent, empty] = [onTheShelf(40, 'open'), onTheShelf(80, 'sent'), onTheShelf(120, '')];
  left.ownIncoming.open(1, open, true);
  left.ownInflight.add(new Delivery(sent, 2, false, 0));
  left.ownInflight.add(new Delivery(empty, 1, false, 0));
  left.settle();
  for (const message of [open, sent, empty]) {
    assert.notEqual(message.bytes.buffer, shelf.buffer);
    assert.equal(message.payload.buffer.byteLength, message.payloadLength);
    assert.equal(message.properties.buffer.byteLength, 1);
  }
  assert.deepEqual(
    [open, sent, empty].map(({ payload }) => payload.toString()),
    ['open', 'sent', ''],
  );
});

test('a session that has ended names nothing that was in it', () => {
  const ended = session();
  ended.ownIncoming.open(1, onTheShelf(0, 'open'), true);
  ended.ownQueue.push(new Delivery(onTheShelf(10, 'waits'), 1, false, 0));
  ended.clear();
  assert.deepEqual([ended.incoming.size, ended.queue.size, ended.inflight.size], [0, 0, 0]);
});
