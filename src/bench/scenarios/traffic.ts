/** p2p, fanout, fanin, shared: as fast as the windows allow. latency: evenly paced. */
import { Histogram } from '../histogram.ts';
import type { Outcome } from '../outcome.ts';
import { tenths, type World } from '../world.ts';

const settleMs = 200;
/** Of a paced run, not counted. */
const warmUpSeconds = 0.5;
/** Messages that are due within this go out together, and the generator looks no more often. */
const paceMs = 0.02;
const backlogMax = 64 << 20;

export async function traffic(world: World): Promise<Outcome> {
  const { plan } = world;
  const { prefix, scenario } = plan;
  world.slotPerPublisher = scenario === 'fanin' || scenario === 'shared';
  const own = (at: number): string => `${prefix}/${String(at).padStart(6, '0')}`;
  const all = scenario === 'fanout';
  world.makeCrowd({
    inOrder: scenario !== 'shared',
    due: all ? plan.subscribers : 1,
    topic: at => (all ? `${prefix}/all` : own(at)),
  });
  const filter = (at: number): string => {
    if (all) return `${prefix}/all`;
    if (scenario === 'fanin') return `${prefix}/#`;
    return scenario === 'shared' ? `$share/bench/${prefix}/#` : own(at);
  };
  const ready = (await openCrowd(world)) && (await world.subscribeAll(filter));
  const lag = scenario === 'latency' ? new Histogram() : null;
  const from = world.sample();
  if (ready) await measured(world, lag);
  const rssKb = memory(world, from.usage.rssKb);
  if (plan.persistent) await wipe(world);
  world.closeAll();
  return world.outcome({ latency: lag === null ? null : latencyOf(world, lag), rssKb, idlePercent: null });
}

export async function openCrowd(world: World): Promise<boolean> {
  return world.openAll([...world.subscribers, ...world.publisherMembers]);
}

/** Sends until time or quota is over, and waits for what is on its way. */
export async function measured(world: World, lag: Histogram | null = null): Promise<void> {
  if (!(await world.rest(settleMs))) return;
  const from = world.sample();
  if (lag === null) await closedLoop(world);
  else await openLoop(world, lag);
  world.addPhase('message', world.ledger.delivered, from, world.sample());
}

async function closedLoop(world: World): Promise<void> {
  const { plan, publishers, turn } = world;
  turn.napMs = plan.napMicros / 1000;
  const deadline = plan.count > 0 ? Infinity : performance.now() + plan.seconds * 1000;
  for (const publisher of publishers) publisher.settled();
  await world.until(() => {
    if (performance.now() < deadline && world.sent < quotaOf(world)) return false;
    for (const publisher of publishers) publisher.isStopped = true;
    return allSettled(world);
  }, 'messages on their way');
  turn.napMs = 0;
}

const quotaOf = (world: World): number => world.publishers.reduce((sum, each) => sum + each.quota, 0);

export function allSettled(world: World): boolean {
  const { ledger, plan } = world;
  const { sent } = world;
  return ledger.accountedFor >= ledger.due(sent) && (plan.qos === 0 || world.acknowledged >= sent);
}

/**
 * Every message has a time at which it is due, whatever became of those before it, and its latency counts from there:
 * a broker that stands still for a second shows a second, not one slow message (coordinated omission).
 */
async function openLoop(world: World, lag: Histogram): Promise<void> {
  const { plan, publishers } = world;
  for (const publisher of publishers) publisher.isStopped = true;
  world.latency = new Histogram();
  const warm = Math.floor(warmUpSeconds * plan.rate);
  const total = warm + (plan.count || Math.floor(plan.rate * plan.seconds));
  const perMessage = 1e4 * (1000 / plan.rate);
  await new Promise<void>(resolve => {
    const start = tenths();
    let [next, last] = [0, 0];
    // The loop never sleeps: a timer of a millisecond would be the latency that is measured.
    const beat = (): void => {
      const now = tenths();
      if (now - last >= paceMs * 1e4) {
        last = now;
        for (; next < total && start + next * perMessage <= now; next++) {
          const due = Math.floor(start + next * perMessage);
          const publisher = publishers[next % publishers.length]!;
          if (next >= warm) lag.add(now - due);
          publisher.emit(1, next < warm ? 0 : due);
          if (publisher.member.unsent > backlogMax) world.fail('the broker does not keep up with this rate');
        }
        world.turn.flushNow();
      }
      if (next >= total || world.fault !== null) resolve();
      else setImmediate(beat);
    };
    beat();
  });
  await world.until(() => allSettled(world), 'messages on their way');
}

function latencyOf(world: World, lag: Histogram): Outcome['latency'] {
  const { latency } = world;
  if (latency === null) return null;
  return {
    p50: latency.quantile(0.5),
    p90: latency.quantile(0.9),
    p99: latency.quantile(0.99),
    p999: latency.quantile(0.999),
    largest: latency.largest / 10,
    samples: latency.count,
    senderLagP50: lag.quantile(0.5),
    senderLagP99: lag.quantile(0.99),
    histogram: latency.coarse(),
  };
}

export function memory(world: World, beforeKb: number): Outcome['rssKb'] {
  return world.plan.brokerPids.length === 0 ? null : { before: beforeKb, after: world.sample().usage.rssKb };
}

/** Sessions that outlive their connection are ended by one that does not. */
export async function wipe(world: World): Promise<void> {
  if (world.fault !== null) return;
  const ended = world.endedCount + world.subscribers.length;
  for (const member of world.subscribers) member.leave();
  if (!(await world.until(() => world.endedCount >= ended, 'leaving'))) return;
  for (const member of world.subscribers) member.identity.persistent = false;
  await world.openAll(world.subscribers);
}
