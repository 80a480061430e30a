/**
 * Many filters in groups of three, held by three connections: exact, with + and with #. A message to a group matches
 * exactly those three.
 */
import type { Outcome } from '../outcome.ts';
import { putDigits } from '../stamp.ts';
import type { World } from '../world.ts';
import { measured, memory, openCrowd } from './traffic.ts';

const filtersPerPacket = 100;
const rooms = 100;

export async function tree(world: World): Promise<Outcome> {
  const { plan } = world;
  const groups = plan.filters / 3;
  const roomAt = plan.prefix.length + 2;
  const deviceAt = roomAt + 4;
  world.slotPerPublisher = true;
  world.makeCrowd({
    inOrder: false,
    due: 3,
    topic: () => `${plan.prefix}/r00/d0000000/v`,
    vary: publisher => (bytes, topicAt, number) => {
      // Groups in an order that no cache knows: Knuth's multiplicative hash.
      const group = Math.imul(number * plan.publishers + publisher, 2_654_435_761) >>> 0;
      putDigits(bytes, topicAt + roomAt, 2, (group % groups) % rooms);
      putDigits(bytes, topicAt + deviceAt, 7, group % groups);
    },
  });
  const before = world.sample();
  if (await openCrowd(world)) {
    await world.rest(200);
    const from = world.sample();
    if (await subscribeGroups(world)) {
      world.addPhase('subscription', plan.filters, from, world.sample());
      await measured(world);
    }
  }
  const rssKb = memory(world, before.usage.rssKb);
  world.closeAll();
  return world.outcome({ latency: null, rssKb, idlePercent: null });
}

async function subscribeGroups(world: World): Promise<boolean> {
  const { plan, subscribers } = world;
  const perRound = filtersPerPacket * subscribers.length;
  for (let from = 0; from < plan.filters; from += perRound) {
    let awaited = world.subscribedCount;
    for (const member of subscribers) {
      const filters: string[] = [];
      for (let at = from + member.index; at < Math.min(plan.filters, from + perRound); at += subscribers.length) {
        filters.push(filterOf(plan.prefix, at));
      }
      if (filters.length === 0) continue;
      member.subscribe(filters, plan.qos);
      awaited++;
    }
    if (!(await world.until(() => world.subscribedCount >= awaited, 'subscribing'))) return false;
  }
  return true;
}

function filterOf(prefix: string, at: number): string {
  const group = Math.floor(at / 3);
  const device = `d${String(group).padStart(7, '0')}`;
  const room = `r${String(group % rooms).padStart(2, '0')}`;
  if (at % 3 === 1) return `${prefix}/+/${device}/v`;
  return `${prefix}/${room}/${device}/${at % 3 === 0 ? 'v' : '#'}`;
}
