/** Random histories against a model that is only maps: whatever was told and settled is what the next start finds. */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { StoredMessage, StoredSession, StoredState, StoredSubscription } from '../broker/ports.ts';
import type { DurableStore } from './durable.ts';
import { settled, Stage, wholeState } from './durable.contract.ts';
import {
  sampleDelivery,
  type SampleDelivery,
  sampleMessage,
  sampleSession,
  sampleSubscription,
} from './store.contract.ts';

interface ModelSession {
  session: StoredSession;
  subscriptions: Map<string, StoredSubscription>;
  deliveries: SampleDelivery[];
  exchanges: Map<number, { message: StoredMessage; deliver: boolean }>;
}

class Model {
  store!: DurableStore;
  readonly sessions = new Map<string, ModelSession>();
  readonly retained = new Map<string, StoredMessage>();

  session(clientId: string): ModelSession {
    let found = this.sessions.get(clientId);
    if (found === undefined) {
      found = { session: sampleSession(clientId), subscriptions: new Map(), deliveries: [], exchanges: new Map() };
      this.sessions.set(clientId, found);
      this.store.putSession(found.session);
    }
    return found;
  }

  /** What a restart makes of it: the heart takes everything over, under objects of its own. */
  adopt(state: StoredState): void {
    const ours = new Map<StoredMessage, StoredMessage>();
    const messageOf = (given: StoredMessage): StoredMessage => {
      const message = ours.get(given) ?? { ...given };
      if (!ours.has(given)) this.store.adopt(given, message);
      ours.set(given, message);
      return message;
    };
    for (const given of state.retained) this.retained.set(given.topicName, messageOf(given));
    for (const { clientId, deliveries, exchanges } of state.sessions) {
      const session = this.sessions.get(clientId)!;
      session.deliveries = deliveries.map(given => {
        // What was in a tail came by a page and is the heart's own already.
        if (given.packetId === 0) return given;
        const delivery = sampleDelivery(messageOf(given.message), given);
        Object.assign(delivery, { message: messageOf(given.message) });
        this.store.adopt(given, delivery);
        return delivery;
      });
      for (const { packetId, message, deliver } of exchanges) {
        session.exchanges.set(packetId, { message: messageOf(message), deliver });
      }
    }
    this.store.forgetUnadopted();
  }

  expected(): unknown {
    const sessions = [...this.sessions.values()].map(({ session, subscriptions, deliveries, exchanges }) => ({
      ...session,
      subscriptions: byKey([...subscriptions.values()], ({ filter }) => filter),
      waiting: { messages: 0, payloadBytes: 0 },
      deliveries: [...deliveries.filter(isSent), ...deliveries.filter(delivery => !isSent(delivery))],
      exchanges: byKey(
        [...exchanges].map(([packetId, rest]) => ({ packetId, ...rest })),
        ({ packetId }) => packetId,
      ),
    }));
    return {
      sessions: byKey(sessions, ({ clientId }) => clientId),
      retained: byKey([...this.retained.values()], topicOf),
    };
  }
}

const isSent = ({ packetId }: SampleDelivery): boolean => packetId !== 0;

const topicOf = ({ topicName }: StoredMessage): string => topicName;

function byKey<T>(list: readonly T[], key: (item: T) => string | number): T[] {
  return list.toSorted((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}

function asFound({ sessions, retained }: StoredState): unknown {
  const sorted = sessions.map(session => ({
    ...session,
    subscriptions: byKey(session.subscriptions, ({ filter }) => filter),
    exchanges: byKey(session.exchanges, ({ packetId }) => packetId),
  }));
  return { sessions: byKey(sorted, ({ clientId }) => clientId), retained: byKey(retained, topicOf) };
}

type Step = (model: Model) => void | Promise<void>;

const clientIds = fc.constantFrom('a', 'b', '007');
const topics = fc.constantFrom('t/1', '1.0', '1', '$share/odd');
const messages = fc
  .record({
    topicName: topics,
    text: fc.string(),
    qos: fc.constantFrom(1, 2),
    expiresAt: fc.constantFrom(0, 1_900_000_000),
  })
  .map(({ text, qos, ...rest }) => sampleMessage({ ...rest, qos: qos, payload: Buffer.from(text), retain: true }));

/** The last message that was made is used again, so that several rows share one. */
let shared = sampleMessage();
const someMessage = fc.option(messages, { nil: null }).map(message => () => (shared = message ?? shared));

const steps: fc.Arbitrary<Step>[] = [
  fc
    .record({ id: clientIds, username: fc.option(fc.string()), endsAt: fc.nat() })
    .map(({ id, username, endsAt }) => model => {
      const found = model.session(id);
      found.session = sampleSession(id, { username, endsAt });
      model.store.putSession(found.session);
    }),
  clientIds.map(id => model => {
    model.sessions.delete(id);
    model.store.removeSession(id);
  }),
  fc
    .record({ id: clientIds, filter: fc.constantFrom('x/#', '$share/g/x'), mountPoint: fc.constantFrom('', 'm/') })
    .map(({ id, filter, mountPoint }) => model => {
      const subscription = sampleSubscription(filter, { mountPoint });
      model.session(id).subscriptions.set(filter, subscription);
      model.store.putSubscription(id, subscription);
    }),
  fc.record({ id: clientIds, filter: fc.constantFrom('x/#', '$share/g/x') }).map(({ id, filter }) => model => {
    model.sessions.get(id)?.subscriptions.delete(filter);
    model.store.removeSubscription(id, filter);
  }),
  fc.record({ id: clientIds, make: someMessage, qos: fc.constantFrom(0, 1, 2) }).map(({ id, make, qos }) => model => {
    const delivery = sampleDelivery(make(), { qos: qos });
    model.session(id).deliveries.push(delivery);
    model.store.putDelivery(id, delivery);
  }),
  fc
    .record({
      id: clientIds,
      which: fc.nat(),
      packetId: fc.integer({ min: 1, max: 65535 }),
      state: fc.integer({ min: 1, max: 3 }),
    })
    .map(({ id, which, packetId, state }) => model => {
      const { deliveries } = model.session(id);
      const delivery = deliveries[which % Math.max(1, deliveries.length)];
      if (delivery === undefined || delivery.qos === 0) return;
      Object.assign(delivery, { packetId, state: delivery.qos === 2 ? state : 1, dup: true });
      model.store.putDelivery(id, delivery);
    }),
  fc.record({ id: clientIds, which: fc.nat() }).map(({ id, which }) => model => {
    const { deliveries } = model.session(id);
    const [delivery] = deliveries.splice(which % Math.max(1, deliveries.length), 1);
    if (delivery !== undefined) model.store.removeDelivery(id, delivery);
  }),
  fc
    .record({ id: clientIds, packetId: fc.integer({ min: 1, max: 3 }), make: someMessage, deliver: fc.boolean() })
    .map(({ id, packetId, make, deliver }) => model => {
      const message = make();
      model.session(id).exchanges.set(packetId, { message, deliver });
      model.store.putExchange(id, packetId, message, deliver);
    }),
  fc.record({ id: clientIds, packetId: fc.integer({ min: 1, max: 3 }) }).map(({ id, packetId }) => model => {
    model.sessions.get(id)?.exchanges.delete(packetId);
    model.store.removeExchange(id, packetId);
  }),
  someMessage.map(make => model => {
    const message = make();
    model.retained.set(message.topicName, message);
    model.store.putRetained(message);
  }),
  topics.map(topicName => model => {
    model.retained.delete(topicName);
    model.store.removeRetained(topicName);
  }),
  fc.constant(model => settled(model.store)),
];

test('after any history and any number of restarts the store gives back what it was told, and nothing else', async () => {
  const histories = fc.array(fc.array(fc.oneof(...steps), { maxLength: 60 }), { minLength: 1, maxLength: 3 });
  const holds = async (history: Step[][]): Promise<void> => {
    const stage = new Stage();
    const model = new Model();
    try {
      model.store = (await stage.open()).store;
      for (const life of history) {
        for (const step of life) await step(model);
        const opened = await stage.reopen();
        assert.deepEqual(opened.remarks, []);
        const state = await wholeState(opened);
        assert.deepEqual(asFound(state), model.expected());
        model.store = opened.store;
        model.adopt(state);
      }
      for (const id of [...model.sessions.keys()]) model.store.removeSession(id);
      for (const topic of [...model.retained.keys()]) model.store.removeRetained(topic);
      await stage.close();
      const left = ['base_msgs', 'client_msgs', 'retains', 'clients', 'wills', 'subscriptions', 'zancudo_exchanges'];
      assert.deepEqual(
        left.map(table => stage.count(table)),
        left.map(() => 0),
      );
    } finally {
      await stage.discard();
    }
  };
  await fc.assert(fc.asyncProperty(histories, holds), { numRuns: 25 });
});
