/**
 * A load generator for any MQTT broker: who sends what to whom (plan), how it went (outcome).
 *
 *   const outcome = await runBench({ scenario: 'p2p', qos: 1 }, { host: 'localhost' });
 *
 * Every message carries a number, and every number is looked for: a broker that loses, repeats or reorders is told on,
 * not measured.
 */
import type { Outcome } from './outcome.ts';
import { planOf, type Access, type Draft, type ScenarioName } from './plan.ts';
import { connect, idle } from './scenarios/connections.ts';
import { offline, retained } from './scenarios/stored.ts';
import { traffic } from './scenarios/traffic.ts';
import { tree } from './scenarios/tree.ts';
import { World, type Progress } from './world.ts';

export { Histogram } from './histogram.ts';
export { mainPhase, type Latency, type Outcome, type Phase } from './outcome.ts';
export { type Access, type Draft, type Plan, planOf, type ScenarioName, scenarioNames } from './plan.ts';
export { stampBytes } from './stamp.ts';
export { usageOf } from './usage.ts';
export type { Progress } from './world.ts';

const scenarios: Record<ScenarioName, (world: World) => Promise<Outcome>> = {
  p2p: traffic,
  fanout: traffic,
  fanin: traffic,
  shared: traffic,
  latency: traffic,
  tree,
  retained,
  offline,
  idle,
  connect,
};

const tellEveryMs = 200;

export async function runBench(draft: Draft, access: Access, tell?: (progress: Progress) => void): Promise<Outcome> {
  const world = new World(planOf(draft), access);
  const since = performance.now();
  await world.prepare();
  const timer = tell === undefined ? undefined : setInterval(() => tell(world.progress(since)), tellEveryMs);
  try {
    return await scenarios[draft.scenario](world);
  } finally {
    clearInterval(timer);
  }
}
