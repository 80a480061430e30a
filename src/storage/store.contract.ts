/** The tests that every store passes, whatever it is made of, and the samples that its tests speak of. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Store, StoredDelivery, StoredMessage, StoredSession, StoredSubscription } from '../broker/ports.ts';

export function sampleMessage(fields: Partial<StoredMessage> = {}): StoredMessage {
  return {
    topicName: 'sport/tennis',
    payload: Buffer.from('15:30'),
    properties: Buffer.alloc(0),
    qos: 1,
    retain: false,
    expiresAt: 0,
    publisher: { clientId: 'umpire', username: null, listener: { port: 1883 } },
    ...fields,
  };
}

export function sampleSession(clientId: string, fields: Partial<StoredSession> = {}): StoredSession {
  const lasting = { username: 'alice', listenerPort: 1883, version: 5 as const, expiryInterval: 3600, endsAt: 0 };
  return { clientId, ...lasting, will: null, ...fields };
}

export function sampleSubscription(filter: string, fields: Partial<StoredSubscription> = {}): StoredSubscription {
  return { filter, mountPoint: '', qos: 1, noLocal: false, retainAsPublished: false, identifier: 0, ...fields };
}

/** Deliveries change while they are on their way. */
export type SampleDelivery = { -readonly [K in keyof StoredDelivery]: StoredDelivery[K] };

export function sampleDelivery(message: StoredMessage, fields: Partial<StoredDelivery> = {}): SampleDelivery {
  const unsent = { packetId: 0, state: 0 as const, dup: false };
  return { message, qos: 1, retain: false, subscriptionIdentifier: 0, ...unsent, ...fields };
}

export interface ContractedStore {
  store: Store;
  /** Ends the store and removes what it kept. */
  discard: () => Promise<void>;
}

export function storeContract(name: string, open: () => Promise<ContractedStore>): void {
  const promise = (text: string, body: (store: Store) => void | Promise<void>): Promise<void> =>
    test(`${name}: ${text}`, async () => {
      const { store, discard } = await open();
      try {
        await body(store);
      } finally {
        await discard();
      }
    });

  void promise('whoever waits for its word is called once, in the order of asking', async store => {
    const called: number[] = [];
    store.onSettled(() => called.push(1));
    store.putSession(sampleSession('a'));
    store.onSettled(() => called.push(2));
    store.putRetained(sampleMessage());
    store.onSettled(() => called.push(3));
    await new Promise<void>(resolve => store.onSettled(resolve));
    assert.deepEqual(called, [1, 2, 3]);
  });

  void promise('a store that was told nothing is settled and answers at once', store => {
    let called = false;
    store.onSettled(() => (called = true));
    assert.equal(store.settled && called, true);
  });

  void promise('its word does not come before it is settled', async store => {
    store.putSession(sampleSession('a'));
    let early = !store.settled;
    store.onSettled(() => (early = false));
    if (!store.settled) assert.equal(early, true);
    await new Promise<void>(resolve => store.onSettled(resolve));
    assert.equal(early, false);
  });

  void promise('what is unknown can be removed without harm', async store => {
    store.removeSession('nobody');
    store.removeSubscription('nobody', 'a/b');
    store.removeDelivery('nobody', sampleDelivery(sampleMessage()));
    store.removeExchange('nobody', 7);
    store.removeRetained('never/published');
    await new Promise<void>(resolve => store.onSettled(resolve));
    assert.equal(store.settled, true);
  });

  void promise('a callback may tell the store more, and ask again', async store => {
    const second = new Promise<void>(resolve => {
      store.putSession(sampleSession('a'));
      store.onSettled(() => {
        store.removeSession('a');
        store.onSettled(resolve);
      });
    });
    await second;
    assert.equal(store.settled, true);
  });

  void promise('what was appended for a client comes back once, in its order, page by page', async store => {
    if (!store.keeps) return;
    const payloads = Array.from({ length: 25 }, (_, n) => String(n));
    store.putSession(sampleSession('a'));
    store.putSession(sampleSession('b'));
    const message = sampleMessage({ payload: Buffer.from('of both') });
    for (const clientId of ['b', 'a']) store.appendDelivery(clientId, sampleDelivery(message));
    for (const payload of payloads)
      store.appendDelivery('a', sampleDelivery(sampleMessage({ payload: Buffer.from(payload) })));
    const pages = [];
    for (let page = await pageOf(store, 'a', 10); ; page = await pageOf(store, 'a', 10)) {
      pages.push(page);
      if (page.end) break;
    }
    assert.deepEqual(
      pages.flatMap(({ taken }) => taken),
      ['of both', ...payloads],
    );
    assert.ok(pages.every(({ taken }) => taken.length <= 10));
    assert.deepEqual(await pageOf(store, 'b', 10), { taken: ['of both'], end: true });
    assert.deepEqual(await pageOf(store, 'a', 10), { taken: [], end: true });
  });

  void promise('what is stowed is in front of the tail again, what was written and what was not', async store => {
    if (!store.keeps) return;
    store.putSession(sampleSession('a'));
    const window = ['1', '2', '3'].map(text => sampleDelivery(sampleMessage({ payload: Buffer.from(text) })));
    store.putDelivery('a', window[0]!);
    await new Promise<void>(resolve => store.onSettled(resolve));
    store.putDelivery('a', window[1]!);
    store.putDelivery('a', window[2]!);
    store.appendDelivery('a', sampleDelivery(sampleMessage({ payload: Buffer.from('4') })));
    store.stow('a', window);
    // What is still on its way to the disk may come in a page of its own.
    const taken: string[] = [];
    for (let end = false; !end;) {
      const page = await pageOf(store, 'a', 10);
      taken.push(...page.taken);
      ({ end } = page);
    }
    assert.deepEqual(taken, ['1', '2', '3', '4']);
  });

  void promise('a page of a session that has ended never comes, and nothing of it in its successor', async store => {
    if (!store.keeps) return;
    store.putSession(sampleSession('a'));
    store.appendDelivery('a', sampleDelivery(sampleMessage()));
    await new Promise<void>(resolve => store.onSettled(resolve));
    let came = false;
    const take = (given: StoredDelivery): StoredDelivery => given;
    store.fetchPage('a', { messages: 10, bytes: 1000, take, done: () => (came = true) });
    store.removeSession('a');
    store.putSession(sampleSession('a'));
    store.appendDelivery('a', sampleDelivery(sampleMessage({ payload: Buffer.from('new') })));
    assert.deepEqual([await pageOf(store, 'a', 10), came], [{ taken: ['new'], end: true }, false]);
  });

  void promise('what has expired leaves the tails, whose it was is said, and the rest stays', async store => {
    if (!store.keeps) return;
    for (const clientId of ['a', 'b']) {
      store.putSession(sampleSession(clientId));
      for (const expiresAt of [100, 0, 200])
        store.appendDelivery(
          clientId,
          sampleDelivery(sampleMessage({ expiresAt, payload: Buffer.from(`${expiresAt}`) })),
        );
    }
    await new Promise<void>(resolve => store.onSettled(resolve));
    const told: [string, number, number][] = [];
    await new Promise<void>(resolve => {
      store.removeExpired(150, (...each) => {
        told.push(each);
        if (told.length === 2) resolve();
      });
    });
    assert.deepEqual(told.sort(), [
      ['a', 1, 3],
      ['b', 1, 3],
    ]);
    for (const clientId of ['a', 'b'])
      assert.deepEqual(await pageOf(store, clientId, 10), { taken: ['0', '200'], end: true });
  });
}

function pageOf(store: Store, clientId: string, messages: number): Promise<{ taken: string[]; end: boolean }> {
  const taken: string[] = [];
  const take = (given: StoredDelivery): StoredDelivery => {
    taken.push(given.message.payload.toString());
    return given;
  };
  return new Promise(resolve =>
    store.fetchPage(clientId, { messages, bytes: 1_000_000, take, done: end => resolve({ taken, end }) }),
  );
}
