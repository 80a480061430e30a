/** Connections without traffic: what one costs to keep (`idle`) and to make (`connect`). */
import { Histogram } from '../histogram.ts';
import type { Member } from '../member.ts';
import type { Outcome } from '../outcome.ts';
import type { World } from '../world.ts';
import { memory } from './traffic.ts';

const watchMs = 2_000;
const settleMs = 500;

export async function idle(world: World): Promise<Outcome> {
  const { plan } = world;
  const members = Array.from({ length: plan.connections }, (_, at) => world.newMember('c', at));
  const from = world.sample();
  let idlePercent: number | null = null;
  if ((await world.openAll(members)) && (!plan.subscribed || (await subscribe(world, members)))) {
    await world.rest(settleMs);
    const open = world.sample();
    world.addPhase('connection', plan.connections, from, open);
    await world.rest(watchMs);
    const watched = world.sample();
    const busy = (watched.usage.cpuSeconds - open.usage.cpuSeconds) / (watched.usage.wall - open.usage.wall);
    idlePercent = plan.brokerPids.length === 0 ? null : busy * 100;
  }
  const rssKb = memory(world, from.usage.rssKb);
  for (const member of members) member.close();
  return world.outcome({ latency: null, rssKb, idlePercent });
}

function subscribe(world: World, members: readonly Member[]): Promise<boolean> {
  return world.subscribeAll(at => `${world.plan.prefix}/${at}`, [...members]);
}

/** Connect, CONNACK, DISCONNECT, over and over. Over TLS each is a handshake, and with `resume` a shortened one. */
export async function connect(world: World): Promise<Outcome> {
  const { plan } = world;
  const times = new Histogram();
  if (plan.resume && !(await takeSession(world))) return finish(world, times);
  const wanted = plan.count || Infinity;
  const deadline = plan.count > 0 ? Infinity : performance.now() + plan.seconds * 1000;
  let [opened, done, failed] = [0, 0, 0];
  const isOver = (): boolean => opened >= wanted || performance.now() >= deadline;
  const again = (member: Member): void => {
    if (isOver() || world.fault !== null) return;
    opened++;
    world.open(member);
  };
  world.afterReady = member => {
    times.add((performance.now() - member.openedAt) * 1e4);
    member.leave();
  };
  world.afterEnd = (member, asked) => {
    if (asked) done++;
    else if (++failed > 100 && failed > done) world.fail('most connections fail');
    again(member);
  };
  const from = world.sample();
  for (let at = 0; at < plan.concurrency; at++) again(world.newMember('c', at));
  await world.until(() => isOver() && done + failed >= opened, 'connecting');
  world.addPhase('connection', done, from, world.sample());
  if (failed > 0) world.fail(`${failed} of ${opened} connections failed`);
  return finish(world, times);
}

/** One connection in front, whose TLS session the others take up. */
async function takeSession(world: World): Promise<boolean> {
  const first = world.newMember('r', 0);
  if (!(await world.openAll([first])) || !(await world.pinged(first))) return false;
  first.close();
  return world.until(() => world.endedCount > 0, 'closing');
}

function finish(world: World, times: Histogram): Outcome {
  const latency: Outcome['latency'] = {
    p50: times.quantile(0.5),
    p90: times.quantile(0.9),
    p99: times.quantile(0.99),
    p999: times.quantile(0.999),
    largest: times.largest / 10,
    samples: times.count,
    senderLagP50: 0,
    senderLagP99: 0,
    histogram: times.coarse(),
  };
  return world.outcome({ latency, rssKb: null, idlePercent: null });
}
