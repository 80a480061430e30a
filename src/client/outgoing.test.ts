import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_PROPERTIES } from '../codec/mod.ts';
import { AliasBook } from './alias-book.ts';
import type { Connection } from './connection.ts';
import { Outgoing, type Publication, type Published } from './outgoing.ts';
import { PacketIds } from './packet-ids.ts';
import type { Qos } from './options.ts';

/** Writes down what is sent instead of sending it. */
class Recorder {
  readonly sent: string[] = [];
  sendPublish(parts: { packetId: number; dup: boolean }, topic: string): void {
    this.sent.push(`publish ${parts.packetId} ${topic}${parts.dup ? ' dup' : ''}`);
  }
  sendAck(name: string, packetId: number): void {
    this.sent.push(`${name} ${packetId}`);
  }
  get connection(): Connection {
    return this as unknown as Connection;
  }
}

const done: [string, Published][] = [];

function publication(topic: string, qos: Qos): Publication {
  return {
    topic,
    payload: Buffer.alloc(0),
    qos,
    retain: false,
    rawProperties: Buffer.alloc(0),
    topicAlias: 0,
    packetId: 0,
    phase: 'publish',
    resolve: published => done.push([topic, published]),
    reject: () => undefined,
  };
}

function outgoing(): Outgoing {
  const aliases = new AliasBook();
  return new Outgoing(new PacketIds(), (each, dup) => aliases.parts(each, dup, 5));
}

const ack = (packetId: number, reasonCode = 0) => ({ packetId, reasonCode, properties: NO_PROPERTIES });

test('no more messages are in flight than the window allows, and the next goes when one is taken', () => {
  const flow = outgoing();
  flow.window = 2;
  for (const topic of ['a', 'b', 'c']) flow.add(publication(topic, 1));
  const link = new Recorder();
  flow.pump(link.connection);
  assert.deepEqual(link.sent, ['publish 1 a', 'publish 2 b']);
  flow.acknowledged('puback', ack(1), link.connection);
  assert.deepEqual(link.sent.slice(2), ['publish 3 c']);
  assert.deepEqual(done.at(-1), ['a', ack(1)]);
});

test('after a reconnection to the same session messages are repeated as duplicates, in order, with their identifiers', () => {
  const flow = outgoing();
  for (const topic of ['a', 'b']) flow.add(publication(topic, 2));
  flow.pump(new Recorder().connection);
  flow.acknowledged('pubrec', ack(1), new Recorder().connection);
  const link = new Recorder();
  flow.replay(link.connection, true);
  assert.deepEqual(link.sent, ['pubrel 1', 'publish 2 b dup']);
});

test('where the broker has forgotten the session, messages in flight are sent anew', () => {
  const flow = outgoing();
  flow.add(publication('a', 2));
  flow.pump(new Recorder().connection);
  flow.acknowledged('pubrec', ack(1), new Recorder().connection);
  const link = new Recorder();
  flow.replay(link.connection, false);
  assert.deepEqual(link.sent, ['publish 1 a']);
});

test('a refusal by PUBREC ends the message without PUBREL', () => {
  const flow = outgoing();
  flow.add(publication('a', 2));
  const link = new Recorder();
  flow.pump(link.connection);
  flow.acknowledged('pubrec', ack(1, 0x87), link.connection);
  assert.deepEqual(link.sent, ['publish 1 a']);
  assert.deepEqual(done.at(-1), ['a', ack(1, 0x87)]);
  assert.equal(flow.size, 0);
});

test('packet identifiers go round and skip those in use', () => {
  const ids = new PacketIds();
  for (let id = 1; id <= 65_535; id++) assert.equal(ids.take(), id);
  assert.equal(ids.take(), null);
  ids.release(7);
  assert.equal(ids.take(), 7);
});

test('an alias carries its topic once on each connection', () => {
  const aliases = new AliasBook();
  const topicOf = () => aliases.parts({ ...publication('a/b', 0), topicAlias: 3 }, false, 5).topic.toString();
  assert.deepEqual([topicOf(), topicOf()], ['a/b', '']);
  aliases.begin(0);
  assert.equal(topicOf(), 'a/b');
});
