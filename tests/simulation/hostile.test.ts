/**
 * Malformed input against the heart itself, many times faster than over sockets: no fault of ours shows, a bystander is
 * served throughout, and when the attackers have gone nothing of them is left.
 *
 * ZANCUDO_HOSTILE_INPUTS and ZANCUDO_HOSTILE_SEED as in tests/hostile.test.ts.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect, cutPacket, decode, frame, publish, subscribe } from '../conformance/bytes.ts';
import { HostileInputs } from './hostile-inputs.ts';
import { Random } from './random.ts';
import { World } from './world.ts';
import type { SimulatedLink } from './world.ts';

const INPUTS = Number(process.env['ZANCUDO_HOSTILE_INPUTS'] ?? 20_000);
const SEED = Number(process.env['ZANCUDO_HOSTILE_SEED'] ?? 1);

/** One attacker from dial to end; gives how many inputs it sent. */
function attack(world: World, random: Random): number {
  const inputs = new HostileInputs(random);
  const link = world.dial(random.pick([100, Infinity]));
  if (random.chance(0.8)) link.send(inputs.hello());
  let sent = 0;
  for (; sent < 20 && !link.ended; sent += 1) {
    link.send(inputs.next());
    link.arrive(random.chance(0.7) ? Infinity : random.below(40));
    if (random.chance(0.5)) link.read(Infinity);
    if (random.chance(0.05)) world.advance(random.below(2000));
  }
  link.close(random.chance(0.5) ? { by: 'peer' } : { by: 'error', text: 'Connection reset by peer' });
  return sent;
}

function say(link: SimulatedLink, ...packets: Buffer[]): void {
  link.send(Buffer.concat(packets));
  link.arrive(Infinity);
}

/** Payloads of the messages that wait on a link. */
function messages(link: SimulatedLink): string[] {
  const payloads: string[] = [];
  let bytes = link.read(Infinity);
  for (let cut = cutPacket(bytes); cut; cut = cutPacket(bytes)) {
    bytes = cut[1];
    const packet = decode(cut[0], 5);
    if (packet.name === 'PUBLISH') payloads.push(packet.payload.toString());
  }
  return payloads;
}

test(`${INPUTS} malformed inputs show no fault, disturb no bystander and leave nothing behind`, () => {
  const random = new Random(SEED);
  const world = new World({ settings: { persistentClientExpirationSeconds: 100 } });
  const bystander = world.dial();
  say(bystander, connect({ clientId: 'bystander', keepAlive: 0 }), subscribe(5, 1, [['by/stander', 0]]));
  bystander.read(Infinity);
  for (let sent = 0, n = 0; sent < INPUTS; n += 1) {
    sent += attack(world, random);
    say(bystander, publish({ topic: 'by/stander', payload: `${n}` }));
    assert.deepEqual(messages(bystander), [`${n}`]);
    assert.deepEqual(world.log.errors, [], `attacker ${n}`);
  }
  say(bystander, frame(0xe0));
  bystander.close();
  world.advance(200_000);
  const { broker } = world;
  const { retainedMessages, storedMessages, subscriptions, sharedSubscriptions } = broker.gauges();
  assert.deepEqual([broker.connections.size, broker.connected, broker.sessions.size], [0, 0, 0]);
  assert.deepEqual([subscriptions, sharedSubscriptions, storedMessages], [0, 0, retainedMessages]);
});
