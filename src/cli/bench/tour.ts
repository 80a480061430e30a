/** What is run: the scenarios that were asked for, or a short look at everything that users ask about first. */
import type { Draft } from '../../bench/mod.ts';
import type { Wish } from './arguments.ts';

const tourSeconds = 3;

const tour: readonly Draft[] = [
  { scenario: 'p2p', qos: 0 },
  { scenario: 'p2p', qos: 1 },
  { scenario: 'p2p', qos: 2 },
  { scenario: 'fanout', qos: 0 },
  { scenario: 'latency', qos: 0, rate: 1000 },
];

export function tourOf({ scenarios, load }: Wish): Draft[] {
  if (scenarios.length > 0) return scenarios.map(scenario => ({ ...load, scenario }));
  return tour.map(each => ({ seconds: tourSeconds, ...load, ...each, qos: load.qos ?? each.qos ?? 0 }));
}
