import assert from 'node:assert/strict';
import test from 'node:test';
import { settled, Stage, staged, wholeState, wholeTail } from './durable.contract.ts';
import { sampleDelivery, sampleMessage, sampleSession, sampleSubscription, storeContract } from './store.contract.ts';

storeContract('durable store', async () => {
  const stage = new Stage();
  const { store } = await stage.open();
  return { store, discard: () => stage.discard() };
});

const waiting = { messages: 0, payloadBytes: 0 };

const will = {
  topicName: 'alice/gone',
  payload: Buffer.from('bye'),
  properties: Buffer.from([3, 0, 1, 97]),
  qos: 2 as const,
  retain: true,
  delayInterval: 0xffffffff,
  messageExpiryInterval: 0,
  dueAt: 1_800_000_123,
};

test(
  'sessions come back with their will, subscriptions, deliveries and exchanges',
  staged(async stage => {
    const { store } = await stage.open();
    const session = sampleSession('alice', { expiryInterval: 0xffffffff, endsAt: 1_800_000_500, will });
    const shared = sampleSubscription('$share/g/sport/#', { mountPoint: 'house/', qos: 2, identifier: 268_435_455 });
    const plain = sampleSubscription('sport/+', { noLocal: true, retainAsPublished: true });
    const message = sampleMessage({ properties: Buffer.from([1, 1]), expiresAt: 1_900_000_000, qos: 2 });
    const deliveries = [
      sampleDelivery(message, { qos: 2, packetId: 9, state: 2, dup: true, subscriptionIdentifier: 5 }),
      sampleDelivery(message, { qos: 2, packetId: 10, state: 3, dup: true }),
      sampleDelivery(message, { qos: 2, packetId: 11, state: 1, dup: true, retain: true }),
      sampleDelivery(message, { packetId: 12, state: 1 }),
      sampleDelivery(message),
      sampleDelivery(sampleMessage({ payload: Buffer.alloc(0), publisher: null }), { qos: 0 }),
    ];
    store.putSession(session);
    store.putSubscription('alice', shared);
    store.putSubscription('alice', plain);
    for (const delivery of deliveries) store.putDelivery('alice', delivery);
    store.putExchange('alice', 77, message, true);
    store.putExchange('alice', 78, message, false);
    const opened = await stage.reopen();
    assert.deepEqual(opened.remarks, []);
    const [inFlight] = opened.state.sessions;
    assert.deepEqual([inFlight!.deliveries.length, inFlight!.waiting], [4, { messages: 2, payloadBytes: 5 }]);
    const state = await wholeState(opened);
    const exchanges = [
      { packetId: 77, message, deliver: true },
      { packetId: 78, message, deliver: false },
    ];
    assert.deepEqual(state.sessions, [{ ...session, subscriptions: [shared, plain], deliveries, waiting, exchanges }]);
    const { sessions } = opened.state;
    assert.equal(sessions[0]!.deliveries[0]!.message, sessions[0]!.exchanges[1]!.message, 'one message is one object');
  }),
);

test(
  'a session that is kept for its will alone comes back, and has no clients row that Mosquitto would take for a session',
  staged(async stage => {
    const { store } = await stage.open();
    const session = sampleSession('brief', { expiryInterval: 0, username: null, version: 3, will });
    store.putSession(session);
    const { state } = await stage.reopen();
    assert.deepEqual(state.sessions, [{ ...session, subscriptions: [], deliveries: [], waiting, exchanges: [] }]);
    await stage.close();
    assert.equal(stage.count('clients'), 0);
    assert.equal(stage.count('wills'), 1);
  }),
);

for (const topicName of [
  '007',
  '7',
  '1e3',
  '1.50',
  '1.5',
  '-0',
  '0',
  ' 12 ',
  '99999999999999999999',
  '0.00001',
  'inf',
]) {
  test(
    `a topic that looks like a number stays what it was: '${topicName}'`,
    staged(async stage => {
      const { store } = await stage.open();
      const publisher = { clientId: topicName, username: topicName, listener: { port: 0 } };
      const message = sampleMessage({ topicName, retain: true, publisher });
      const session = sampleSession(topicName, { will: { ...will, topicName } });
      store.putSession(session);
      store.putRetained(message);
      const again = await stage.reopen();
      assert.deepEqual(again.state.retained, [message]);
      assert.deepEqual(again.state.sessions[0]!.will, session.will);
      for (const given of again.state.retained) again.store.adopt(given, given);
      again.store.forgetUnadopted();
      again.store.removeRetained(topicName);
      await stage.close();
      assert.equal(stage.count('retains') + stage.count('base_msgs'), 0);
    }),
  );
}

test(
  'retained topics that Mosquitto would keep as one number are two',
  staged(async stage => {
    const { store } = await stage.open();
    for (const topicName of ['1', '1.0', '01']) store.putRetained(sampleMessage({ topicName }));
    const { state } = await stage.reopen();
    assert.deepEqual(state.retained.map(({ topicName }) => topicName).sort(), ['01', '1', '1.0']);
  }),
);

test(
  'a delivery that comes and goes before its batch never touches the disk, and its word comes all the same',
  staged(async stage => {
    const { store } = await stage.open();
    store.putSession(sampleSession('a'));
    await settled(store);
    const before = store.stats();
    const delivery = sampleDelivery(sampleMessage());
    store.putDelivery('a', delivery);
    let called = false;
    store.onSettled(() => (called = true));
    store.removeDelivery('a', delivery);
    assert.equal(store.settled, false, 'somebody still waits');
    await settled(store);
    assert.equal(called, true);
    const { commits, rowsWritten } = store.stats();
    assert.deepEqual([commits, rowsWritten], [before.commits, before.rowsWritten]);
  }),
);

test(
  'everything told in one turn is one transaction, and several changes of one delivery are one row',
  staged(async stage => {
    const { store } = await stage.open();
    store.putSession(sampleSession('a'));
    const message = sampleMessage();
    const delivery = sampleDelivery(message, { qos: 2 });
    for (const state of [0, 1, 2] as const) {
      Object.assign(delivery, { state, packetId: state === 0 ? 0 : 5 });
      store.putDelivery('a', delivery);
    }
    store.putDelivery('a', sampleDelivery(message));
    await settled(store);
    const { commits, rowsWritten } = store.stats();
    assert.deepEqual([commits, rowsWritten], [1, 3]);
    await stage.close();
    assert.equal(stage.count('base_msgs'), 1, 'a payload is written once');
    assert.equal(stage.count('client_msgs'), 2);
  }),
);

test(
  'a message leaves the file with the last one who waits for it',
  staged(async stage => {
    const { store } = await stage.open();
    const message = sampleMessage({ retain: true });
    const delivery = sampleDelivery(message);
    store.putSession(sampleSession('a'));
    store.putDelivery('a', delivery);
    store.putRetained(message);
    store.putExchange('a', 4, message, true);
    await settled(store);
    store.removeDelivery('a', delivery);
    store.removeExchange('a', 4);
    await stage.close();
    assert.equal(stage.count('base_msgs'), 1);
    const again = await stage.open();
    again.store.adopt(again.state.retained[0]!, again.state.retained[0]!);
    again.store.forgetUnadopted();
    again.store.putRetained(sampleMessage({ payload: Buffer.from('newer') }));
    await settled(again.store);
    again.store.removeRetained(message.topicName);
    await stage.close();
    assert.equal(stage.count('base_msgs') + stage.count('retains') + stage.count('client_msgs'), 0);
  }),
);

test(
  'a removed session takes everything of its own along and nothing of others, and may come back at once',
  staged(async stage => {
    const { store } = await stage.open();
    const message = sampleMessage();
    for (const clientId of ['a', 'b']) {
      store.putSession(sampleSession(clientId, { will }));
      store.putSubscription(clientId, sampleSubscription('x', { mountPoint: 'm/' }));
      store.putDelivery(clientId, sampleDelivery(message));
      store.putExchange(clientId, 1, message, true);
      store.putExchange(clientId, 2, message, false);
    }
    await settled(store);
    store.removeSession('a');
    store.removeSession('b');
    store.putSession(sampleSession('b', { username: 'newcomer' }));
    const { state } = await stage.reopen();
    const fresh = sampleSession('b', { username: 'newcomer' });
    assert.deepEqual(state.sessions, [{ ...fresh, subscriptions: [], deliveries: [], waiting, exchanges: [] }]);
    await stage.close();
    assert.equal(stage.count('base_msgs') + stage.count('client_msgs') + stage.count('zancudo_exchanges'), 0);
    assert.equal(stage.count('wills') + stage.count('subscriptions') + stage.count('zancudo_mount_points'), 0);
  }),
);

test(
  'a subscription that comes back by a listener with another mount point replaces the first',
  staged(async stage => {
    const { store } = await stage.open();
    store.putSession(sampleSession('a'));
    store.putSubscription('a', sampleSubscription('x/#', { mountPoint: 'one/' }));
    await settled(store);
    store.putSubscription('a', sampleSubscription('x/#', { mountPoint: 'two/' }));
    const again = await stage.reopen();
    assert.deepEqual(again.state.sessions[0]!.subscriptions, [sampleSubscription('x/#', { mountPoint: 'two/' })]);
    again.store.removeSubscription('a', 'x/#');
    await stage.close();
    assert.equal(stage.count('subscriptions'), 0);
  }),
);

test(
  'after a restart rows are found through the objects that the heart put in their place, and what it left goes',
  staged(async stage => {
    const first = await stage.open();
    first.store.putSession(sampleSession('a'));
    const messages = ['kept', 'acknowledged', 'left'].map(text => sampleMessage({ payload: Buffer.from(text) }));
    for (const [n, message] of messages.entries())
      first.store.putDelivery('a', sampleDelivery(message, { packetId: n + 1, state: 1 }));
    first.store.putRetained(sampleMessage({ topicName: 'left/too' }));
    first.store.putExchange('a', 3, sampleMessage(), true);
    const { store, state } = await stage.reopen();
    const ours = state.sessions[0]!.deliveries.slice(0, 2).map(given => {
      const message = { ...given.message };
      const delivery = sampleDelivery(message, given);
      store.adopt(given.message, message);
      store.adopt(given, delivery);
      return delivery;
    });
    store.forgetUnadopted();
    Object.assign(ours[0]!, { packetId: 9, dup: true });
    store.putDelivery('a', ours[0]!);
    store.removeDelivery('a', ours[1]!);
    const last = await stage.reopen();
    const { deliveries, exchanges } = last.state.sessions[0]!;
    assert.deepEqual(
      deliveries.map(({ message, packetId }) => [String(message.payload), packetId]),
      [['kept', 9]],
    );
    assert.deepEqual([exchanges, last.state.retained], [[], []]);
    await stage.close();
    assert.equal(stage.count('base_msgs'), 1);
  }),
);

test(
  'deliveries come back in the order in which they were queued, whatever was updated since',
  staged(async stage => {
    const { store } = await stage.open();
    store.putSession(sampleSession('a'));
    const deliveries = Array.from({ length: 50 }, (_, n) =>
      sampleDelivery(sampleMessage({ payload: Buffer.from([n]) })),
    );
    for (const delivery of deliveries) {
      store.putDelivery('a', delivery);
      if (Math.abs(delivery.message.payload[0]! - 25) < 3) await settled(store);
    }
    for (const [n, delivery] of [...deliveries.entries()].reverse()) {
      Object.assign(delivery, { packetId: n + 1, state: 1 });
      store.putDelivery('a', delivery);
    }
    const { state } = await stage.reopen();
    assert.deepEqual(state.sessions[0]!.deliveries, deliveries);
  }),
);

test(
  'payloads are taken at the end of the turn: the buffer may be used again after the word',
  staged(async stage => {
    const { store } = await stage.open();
    const large = Buffer.alloc(100_000, 'a');
    store.putSession(sampleSession('a'));
    store.putDelivery('a', sampleDelivery(sampleMessage({ payload: large.subarray(10, 20) })));
    await settled(store);
    large.fill('b');
    const { store: again } = await stage.reopen();
    assert.equal(String((await wholeTail(again, 'a'))[0]!.message.payload), 'aaaaaaaaaa');
  }),
);

test(
  'two brokers cannot have one file',
  staged(async stage => {
    await stage.open();
    const other = new Stage();
    try {
      await assert.rejects(() => Object.assign(other, { file: stage.file }).open(), {
        code: 'store.in-use',
        exitCode: 13,
        message: /Error opening .*: database is locked\n {2}Another process/,
      });
    } finally {
      await other.discard();
    }
  }),
);

test(
  'a file that cannot be made is refused with its name, the cause and the remedy',
  staged(async stage => {
    const nowhere = Object.assign(stage, { file: `${stage.directory}/missing/store.sqlite3` });
    const message = /Error opening .*missing\/store.sqlite3: unable to open database file\n.*directory must exist/;
    await assert.rejects(() => nowhere.open(), { code: 'store.cannot-open', exitCode: 13, message });
  }),
);

test(
  'what a session had left when the broker fell, after it was taken up again for one connection only, goes with it',
  staged(async stage => {
    const { store } = await stage.open();
    const message = sampleMessage();
    store.putSession(sampleSession('alice'));
    store.putSubscription('alice', sampleSubscription('sport/+'));
    store.putDelivery('alice', sampleDelivery(message));
    store.putExchange('alice', 7, message, false);
    store.putSession(sampleSession('alice', { expiryInterval: 0 }));
    const found = await stage.reopen();
    assert.deepEqual(found.remarks, []);
    const [session] = found.state.sessions;
    assert.deepEqual([session?.expiryInterval, session?.waiting.messages, session?.exchanges.length], [0, 1, 1]);
    for (const { message: given } of session!.exchanges) found.store.adopt(given, given);
    found.store.removeSession('alice');
    found.store.forgetUnadopted();
    found.store.putSession(sampleSession('alice'));
    const again = await stage.reopen();
    assert.deepEqual(again.state.sessions, [
      { ...sampleSession('alice'), subscriptions: [], deliveries: [], waiting, exchanges: [] },
    ]);
    await stage.close();
    assert.deepEqual(
      [stage.count('client_msgs'), stage.count('base_msgs'), stage.count('zancudo_exchanges')],
      [0, 0, 0],
    );
  }),
);

test(
  'a delivery that has its identifier stays in flight in the file while a new connection has not sent it again',
  staged(async stage => {
    const { store } = await stage.open();
    store.putSession(sampleSession('alice'));
    store.putDelivery('alice', sampleDelivery(sampleMessage(), { qos: 2, packetId: 9, state: 0, dup: true }));
    const { state } = await stage.reopen();
    const [delivery] = state.sessions[0]!.deliveries;
    assert.deepEqual([delivery?.packetId, delivery?.state], [9, 1]);
  }),
);

test(
  'who waits is called in the order of asking, also when what the later one waited for has come to nothing',
  staged(async stage => {
    const { store } = await stage.open();
    const called: string[] = [];
    store.putRetained(sampleMessage({ topicName: 'stays' }));
    store.onSettled(() => called.push('first'));
    await new Promise(resolve => setImmediate(resolve));
    assert.equal(store.stats().waitingChanges, 0, 'the worker has the batch');
    store.putRetained(sampleMessage({ topicName: 'comes and goes' }));
    store.onSettled(() => called.push('second'));
    store.removeRetained('comes and goes');
    await settled(store);
    assert.deepEqual(called, ['first', 'second']);
  }),
);
