import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EventRecord, Fact } from './record.ts';
import { storyOf } from './story.ts';

let clock = 0;
const happens = (event: string, facts: Record<string, Fact>): EventRecord => ({ at: ++clock, event, facts });
const connects = (client: string, more: Record<string, Fact> = {}): EventRecord =>
  happens('client.connected', { client, address: '192.0.2.7', port: 1, listener: 'port 8883', ...more });
const subscribes = (client: string): EventRecord => happens('client.subscribed', { client, filters: ['a/b'] });
const leaves = (client: string): EventRecord => happens('client.left', { client, address: '192.0.2.7' });

const always = { since: 0, until: Infinity };
const told = (records: EventRecord[], who: string): string[] =>
  storyOf(records, { who, ...always }).events.map(({ event, facts }) => `${event} ${String(facts['client'] ?? '')}`);

test('a user name means the clients that came by it, for as long as they did', () => {
  const records = [
    connects('lamp-1', { user: 'ana' }),
    subscribes('lamp-1'),
    leaves('lamp-1'),
    connects('lamp-1', { user: 'bob' }),
    subscribes('lamp-1'),
  ];
  assert.deepEqual(told(records, 'bob'), ['client.connected lamp-1', 'client.subscribed lamp-1']);
});

test('a serial number is found with colons, in small letters and with zeros in front', () => {
  const records = [connects('lamp-1', { serial: '0A2B3C4D5E6F7081' })];
  for (const who of ['0A2B3C4D5E6F7081', '0a:2b:3c:4d:5e:6f:70:81']) assert.equal(told(records, who).length, 1, who);
});

test('what fails at the address that a client has come from is told with it, until somebody else comes from there', () => {
  const fails = (): EventRecord =>
    happens('handshake.failed', { address: '192.0.2.7', port: 2, listener: 'port 8883' });
  const records = [connects('lamp-1'), fails(), connects('lamp-2'), fails()];
  assert.deepEqual(told(records, 'lamp-1'), ['client.connected lamp-1', 'handshake.failed ']);
});

test("the broker's own death is told in everybody's story, and says who is no longer connected", () => {
  const records = [connects('lamp-1'), happens('broker.died', { pid: 1 }), connects('lamp-2')];
  const chapter = storyOf(records, { who: 'lamp-1', ...always });
  assert.deepEqual(chapter.events.map(({ event }) => event), ['client.connected', 'broker.died']);
  assert.deepEqual(chapter.state, { connected: false, since: records[1]!.at });
}); // prettier-ignore

test('what was before the time asked for is counted, and still says whose a subscription is', () => {
  const records = [connects('lamp-1', { user: 'ana' }), subscribes('lamp-1')];
  const { events, before } = storyOf(records, { who: 'ana', since: records[1]!.at, until: Infinity });
  assert.deepEqual([events.length, before], [1, 1]);
});

test('nobody by that name: the story has the names that there are', () => {
  const { clients, others } = storyOf([connects('lamp-1', { user: 'ana' })], { who: 'lamp-2', ...always });
  assert.deepEqual([clients, others], [[], ['lamp-1', 'ana']]);
});
