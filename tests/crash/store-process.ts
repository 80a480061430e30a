/**
 * A process with a store and nothing else, to be killed: node store-process.ts FILE [BALLAST]
 *
 * It queues numbered messages, a few in each turn, and prints a number as soon as the store says that it is safe. With
 * a ballast file it goes on until the disk is full, makes room by removing the ballast, and ends when all is safe.
 */
import { rmSync } from 'node:fs';
import { openDurableStore } from '../../src/storage/mod.ts';

const [file = '', ballast] = process.argv.slice(2);
const payload = Buffer.alloc(ballast === undefined ? 50 : 20_000, 'x');
let troubled = false;

const say = (line: string): void => void process.stdout.write(`${line}\n`);

const { store } = await openDurableStore({
  file,
  durability: { kind: 'commit' },
  propertiesToJson: () => null,
  propertiesFromJson: () => Buffer.alloc(0),
  now: () => Date.now(),
  onTrouble: lines => {
    troubled = true;
    say(`trouble ${lines.join(' ')}`);
  },
  onHealed: lines => say(`healed ${lines.join(' ')}`),
});

const session = { username: null, listenerPort: 0, version: 4 as const, expiryInterval: 0xffffffff, endsAt: 0 };
store.putSession({ clientId: 'reader', ...session, will: null });

let number = 0;
function queueOne(): void {
  const topicName = `t/${number}`;
  const flags = { qos: 1 as const, retain: false };
  const message = { topicName, payload, properties: Buffer.alloc(0), ...flags, expiresAt: 0, publisher: null };
  const delivery = { message, ...flags, subscriptionIdentifier: 0, packetId: 0, state: 0 as const, dup: false };
  store.putDelivery('reader', delivery);
  const mine = number++;
  store.onSettled(() => say(`safe ${mine}`));
}

const turn = (): Promise<void> => new Promise(resolve => setTimeout(resolve, 1));

while (!troubled) {
  for (let n = 0; n < 5; n++) queueOne();
  await turn();
}
say(`queued ${number}`);
rmSync(ballast!);
await new Promise<void>(resolve => store.onSettled(resolve));
await store.close();
say('closed');
