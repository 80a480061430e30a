/** What a run found. Every field that could not be measured is null, never a guess. */
import type { ScenarioName } from './plan.ts';

export interface Latency {
  /** Microseconds from the moment a message was due to be sent. */
  p50: number;
  p90: number;
  p99: number;
  p999: number;
  largest: number;
  samples: number;
  /** How late the generator itself was, in microseconds: latency below this is not the broker's. */
  senderLagP50: number;
  senderLagP99: number;
  histogram: { fromMicros: number; count: number }[];
}

/** One phase of a run, counted in `unit`s. */
export interface Phase {
  unit: 'message' | 'connection' | 'subscription' | 'retained message' | 'queued message';
  count: number;
  seconds: number;
  perSecond: number;
  /** Of the broker, in microseconds of CPU time for each unit; null without its process id. */
  brokerMicros: number | null;
  /** Of the generator. */
  ownMicros: number;
  brokerPercent: number | null;
  ownPercent: number;
  /** What the broker's memory grew by for each unit, in bytes. */
  brokerBytes: number | null;
}

export interface Outcome {
  scenario: ScenarioName;
  version: number;
  qos: number;
  size: number;
  publishers: number;
  subscribers: number;
  /** Such as TLSv1.3 TLS_AES_256_GCM_SHA384; null on a plain link. */
  tls: string | null;
  resumed: number;
  sent: number;
  delivered: number;
  lost: number;
  repeated: number;
  disordered: number;
  /** Messages of somebody else. */
  foreign: number;
  /** The last is what the scenario is about. */
  phases: Phase[];
  latency: Latency | null;
  /** Resident memory of the broker in kB, before and after. */
  rssKb: { before: number; after: number } | null;
  /** Percent of one core that connections without traffic cost; `idle` only. */
  idlePercent: number | null;
  ok: boolean;
  fault: string | null;
}

export function mainPhase(outcome: Outcome): Phase | null {
  return outcome.phases.at(-1) ?? null;
}
