/** What one run does: who sends what to whom, how fast, and for how long. */
import type { ConnectOptions, ProtocolVersion, Qos } from '../client/mod.ts';

export const scenarioNames = [
  'p2p',
  'fanout',
  'fanin',
  'shared',
  'latency',
  'tree',
  'retained',
  'offline',
  'idle',
  'connect',
] as const;
export type ScenarioName = (typeof scenarioNames)[number];

/** Where zero stands for "as the scenario needs it", defaultsFor() fills it in. */
export interface Plan {
  scenario: ScenarioName;
  version: ProtocolVersion;
  qos: Qos;
  /** Bytes of payload; 16 at least, for the stamp. */
  size: number;
  publishers: number;
  subscribers: number;
  /** How long messages are sent; ignored where `count` says how many. */
  seconds: number;
  /** Messages in all; connections, for `connect`. 0: as long as `seconds`. */
  count: number;
  /** Messages a second in all; `latency` only. */
  rate: number;
  /** QoS 1 and 2: unacknowledged messages of one publisher. */
  window: number;
  /** Undelivered messages of one publisher. */
  cap: number;
  /** QoS 0: least messages that a refill sends. */
  batch: number;
  /** Closed loop: pause after a turn that read little, so that wake-ups are shared, as on a busy network. */
  napMicros: number;
  /** `idle` only. */
  connections: number;
  /** Connections being opened at a time. */
  concurrency: number;
  /** `tree` only. */
  filters: number;
  /** `idle`: each connection has one subscription. */
  subscribed: boolean;
  /** Subscribers have sessions that outlive the connection. */
  persistent: boolean;
  /** `connect` over TLS: take up the session of the connection before. */
  resume: boolean;
  /** First level of all topics. */
  prefix: string;
  /** Processes whose CPU time and memory are the broker's. */
  brokerPids: readonly number[];
}

/** The ways of a run that the plan does not say: where the broker is and who we are there. */
export type Access = Omit<ConnectOptions, 'clientId' | 'cleanStart' | 'onMessage' | 'will'>;

export type Draft = Partial<Plan> & { scenario: ScenarioName };

const common: Omit<Plan, 'scenario'> = {
  version: 4,
  qos: 0,
  size: 64,
  publishers: 1,
  subscribers: 1,
  seconds: 10,
  count: 0,
  rate: 1000,
  window: 20,
  cap: 0,
  batch: 0,
  napMicros: -1,
  connections: 1000,
  concurrency: 50,
  filters: 3000,
  subscribed: false,
  persistent: false,
  resume: false,
  prefix: 'bench',
  brokerPids: [],
};

const byScenario: Record<ScenarioName, Partial<Plan>> = {
  p2p: { publishers: 10 },
  fanout: { subscribers: 100 },
  fanin: { publishers: 100 },
  shared: { publishers: 8, subscribers: 8 },
  latency: {},
  tree: { subscribers: 10 },
  retained: { qos: 1, count: 10_000 },
  offline: { qos: 1, count: 10_000 },
  idle: {},
  connect: { concurrency: 16 },
};

/** A whole plan. The windows are those of a broker that is kept busy without queues that grow. */
export function planOf(draft: Draft): Plan {
  const plan: Plan = { ...common, ...byScenario[draft.scenario], ...draft };
  if (plan.scenario === 'fanout') plan.publishers = 1;
  if (plan.scenario === 'fanin') plan.subscribers = 1;
  if (plan.scenario === 'p2p' || plan.scenario === 'latency') plan.subscribers = plan.publishers;
  if (plan.scenario === 'tree') {
    plan.filters -= plan.filters % 3;
    plan.subscribers = Math.max(3, plan.subscribers);
  }
  const stored = plan.scenario === 'retained' || plan.scenario === 'offline';
  plan.cap ||= stored ? Math.ceil(plan.count / plan.publishers) : capOf(plan);
  plan.batch ||= plan.qos > 0 || stored ? 1 : batchOf(plan);
  plan.batch = Math.min(plan.batch, plan.cap);
  if (plan.napMicros < 0) plan.napMicros = stored ? 0 : plan.qos === 0 ? 100 : 50;
  return plan;
}

const packetBytes = (plan: Plan): number => plan.size + 40;
const within = (value: number, least: number, most: number): number =>
  Math.max(least, Math.min(most, Math.floor(value)));

/** Messages in flight through the broker, for one publisher: 20,000 deliveries in all, and 64 MB at most. */
function capOf(plan: Plan): number {
  const { scenario, publishers, subscribers } = plan;
  const fitting = Math.max(2, Math.floor((64 << 20) / packetBytes(plan)));
  const wanted =
    scenario === 'fanout'
      ? within(20_000 / subscribers, 10, 1000)
      : scenario === 'fanin' || scenario === 'shared'
        ? within(10_000 / publishers, 10, 1000)
        : scenario === 'tree'
          ? within(1000 / publishers, 10, 1000)
          : 1000;
  return Math.min(fitting, wanted);
}

function batchOf(plan: Plan): number {
  return within(65_536 / packetBytes(plan), 1, Math.max(1, Math.floor(plan.cap / 4)));
}
