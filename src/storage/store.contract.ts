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
}
