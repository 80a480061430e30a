/** Queues that are in the file alone: whose messages they are, what goes with them, and what a word is worth. */
import assert from 'node:assert/strict';
import { copyFileSync, existsSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import test from 'node:test';
import type { DurableStore } from './durable.ts';
import { settled, Stage, staged, wholeTail } from './durable.contract.ts';
import { sampleDelivery, sampleMessage, sampleSession } from './store.contract.ts';

function append(store: DurableStore, clientId: string, from: number, to: number): void {
  for (let n = from; n < to; n++)
    store.appendDelivery(
      clientId,
      sampleDelivery(sampleMessage({ topicName: `t/${n}`, payload: Buffer.from([n & 255]) })),
    );
}

const numbersOf = (deliveries: readonly { message: { topicName: string } }[]): number[] =>
  deliveries.map(({ message }) => Number(message.topicName.slice(2)));

const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

test(
  'a tail is in no memory: after its commit the store holds nothing of it',
  staged(async stage => {
    const { store } = await stage.open();
    store.putSession(sampleSession('a'));
    append(store, 'a', 0, 1000);
    await settled(store);
    assert.equal(store.stats().messages, 0);
    await stage.close();
    assert.equal(stage.count('client_msgs'), 1000);
  }),
);

test(
  'a restart knows how much waits and reads none of it',
  staged(async stage => {
    const first = await stage.open();
    first.store.putSession(sampleSession('a'));
    append(first.store, 'a', 0, 1000);
    const { store, state } = await stage.reopen();
    assert.deepEqual(state.sessions[0]!.waiting, { messages: 1000, payloadBytes: 1000 });
    assert.equal(store.stats().messages, 0);
    append(store, 'a', 1000, 1010);
    assert.deepEqual(numbersOf(await wholeTail(store, 'a', 300)), upTo(1010));
  }),
);

test(
  'a message that waits for many goes with the last of them, over restarts too',
  staged(async stage => {
    const clients = ['a', 'b', 'c'];
    const first = await stage.open();
    const message = sampleMessage({ retain: true });
    for (const clientId of clients) {
      first.store.putSession(sampleSession(clientId));
      first.store.appendDelivery(clientId, sampleDelivery(message));
    }
    first.store.putRetained(message);
    for (const clientId of clients) {
      const { store, state } = await stage.reopen();
      for (const given of state.retained) store.adopt(given, given);
      store.forgetUnadopted();
      const [delivery] = await wholeTail(store, clientId);
      store.removeDelivery(clientId, delivery!);
      if (clientId === 'b') store.removeRetained(message.topicName);
      await stage.close();
      assert.equal(stage.count('base_msgs'), clientId === 'c' ? 0 : 1, clientId);
    }
    assert.equal(stage.count('zancudo_uses'), 0);
  }),
);

test(
  'a session that ends with thousands of messages is gone at once, and they leave the file in the background',
  staged(async stage => {
    const { store } = await stage.open();
    store.putSession(sampleSession('a'));
    append(store, 'a', 0, 7000);
    await settled(store);
    store.removeSession('a');
    store.putSession(sampleSession('a'));
    append(store, 'a', 0, 5);
    await settled(store);
    // As if the process had died here, with the old rows still in the file.
    const fallen = new Stage();
    for (const suffix of ['', '-wal'])
      if (existsSync(stage.file + suffix)) copyFileSync(stage.file + suffix, fallen.file + suffix);
    try {
      const found = await fallen.open();
      assert.equal(found.state.sessions[0]!.waiting.messages, 5);
      assert.deepEqual(numbersOf(await wholeTail(found.store, 'a')), upTo(5));
    } finally {
      await fallen.discard();
    }
    await stage.close();
    assert.deepEqual([stage.count('client_msgs'), stage.count('base_msgs'), stage.count('zancudo_wiped')], [5, 5, 0]);
  }),
);

for (const durability of [{ kind: 'interval', milliseconds: 60_000 } as const, { kind: 'none' } as const]) {
  test(
    `with durability ${durability.kind} the word comes at once, a queue can be read all the same, and a stop keeps everything`,
    staged(async stage => {
      stage.durability = durability;
      const { store } = await stage.open();
      store.putSession(sampleSession('a'));
      append(store, 'a', 0, 10);
      let called = false;
      store.onSettled(() => (called = true));
      assert.deepEqual([store.settled, called, store.stats().commits], [true, true, 0]);
      const [first] = await wholeTail(store, 'a', 1);
      store.removeDelivery('a', first!);
      append(store, 'a', 10, 12);
      const again = await stage.reopen();
      assert.deepEqual(numbersOf(await wholeTail(again.store, 'a')), upTo(12).slice(1));
    }),
  );
}

test(
  'with an interval what was told is on the disk when the interval is over',
  staged(async stage => {
    stage.durability = { kind: 'interval', milliseconds: 20 };
    const { store } = await stage.open();
    store.putSession(sampleSession('a'));
    while (store.stats().commits === 0) await pause(5);
    assert.equal(store.stats().waitingChanges, 0);
  }),
);
