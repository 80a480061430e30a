/**
 * Malformed input by the thousand against a running broker, while a well-behaved pair goes on exchanging messages:
 * nobody but its sender pays for it.
 *
 * ZANCUDO_HOSTILE_INPUTS=1000000 asks for more of them, ZANCUDO_HOSTILE_SEED for other ones.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as dial } from 'node:net';
import { test } from 'node:test';
import { openLab } from './conformance/lab.ts';
import { HostileInputs } from './simulation/hostile-inputs.ts';
import { Random } from './simulation/random.ts';

const INPUTS = Number(process.env['ZANCUDO_HOSTILE_INPUTS'] ?? 20_000);
const SEED = Number(process.env['ZANCUDO_HOSTILE_SEED'] ?? 1);
/** Connections that attack at the same time. */
const ATTACKERS = 16;
/** Inputs that one connection sends before it gives up, if it is let live. */
const INPUTS_PER_CONNECTION = 25;

const lab = await openLab({ global: ['connection_messages false'] });

/** One connection sends its inputs until it is cut off or has sent them all. */
async function attack(random: Random): Promise<number> {
  const socket = dial(lab.broker.port, '127.0.0.1');
  socket.on('error', () => {}).resume();
  await once(socket, 'connect');
  const inputs = new HostileInputs(random);
  if (random.chance(0.7)) socket.write(inputs.hello());
  let sent = 0;
  while (sent < INPUTS_PER_CONNECTION && !socket.destroyed && !socket.readableEnded) {
    socket.write(inputs.next());
    sent += 1;
    if (random.chance(0.3)) await new Promise(resolve => setImmediate(resolve));
  }
  // Half of them give the broker a moment to answer, the others are gone at once.
  if (random.chance(0.5)) await new Promise(resolve => setImmediate(resolve));
  socket.destroy();
  return sent;
}

test(`${INPUTS} malformed inputs cost nobody but their senders a connection`, async () => {
  const sender = await lab.client({ keepAlive: 0 });
  const receiver = await lab.client({ keepAlive: 0 });
  await receiver.subscribe('well/behaved', 2);
  let sent = 0;
  let exchanged = 0;
  let attacking = true;
  const wellBehaved = async (): Promise<void> => {
    for (; attacking; exchanged += 1) {
      await sender.publish('well/behaved', `${exchanged}`, { qos: exchanged % 3 });
      await receiver.expectMessage(`${exchanged}`);
    }
  };
  const attackers = Array.from({ length: ATTACKERS }, async (_, index) => {
    const random = new Random(SEED * 1000 + index);
    while (sent < INPUTS) sent += await attack(random);
  });
  const pair = wellBehaved();
  await Promise.all(attackers);
  attacking = false;
  await pair;
  assert.ok(exchanged > 10, `only ${exchanged} messages were exchanged`);
  assert.equal(lab.broker.hasEnded, false, lab.broker.log);
  assert.doesNotMatch(lab.broker.log, /internal fault/, lab.broker.log);
});

test('after all that the broker still takes clients and keeps its word', async () => {
  const client = await lab.client();
  await client.subscribe('afterwards', 1);
  await (await lab.client()).publish('afterwards', 'm', { qos: 1 });
  await client.expectMessage('m');
});
