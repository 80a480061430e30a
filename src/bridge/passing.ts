/**
 * Where a message has been, so that it does not go round in circles.
 *
 *   MQTT 5      each bridge adds the identity of its broker to a user property: `zancudo-via` = A, B, C
 *               a message that comes to a broker it has been at is not passed on
 *   MQTT 3      no properties: what we sent and what comes back are compared (EchoGuard), unless the other broker knows
 *               that we are a bridge (try_private) and does not send our own messages back
 */
import { hash } from 'node:crypto';
import type { Properties } from '../codec/mod.ts';

const VIA = 'zancudo-via';

/** The user property by which one of us asks another for its identity in CONNECT, and is told in CONNACK. */
export const IDENTITY_PROPERTY = 'zancudo-bridge';

/** A way that is longer is a circle of brokers that do not tell who they are. */
const HOPS_MAX = 16;

/** Whether one of these brokers has had the message, or it has been under way for too long. */
export function hasBeenAt(properties: Readonly<Properties>, brokers: readonly (string | null)[]): boolean {
  const way = properties.userProperties?.filter(([name]) => name === VIA) ?? [];
  return way.length >= HOPS_MAX || way.some(([, broker]) => brokers.includes(broker));
}

/** The properties as they go on: what belongs to one hop is left out, the way so far is in them. */
export function onward(properties: Readonly<Properties>, brokers: readonly (string | null)[]): Properties {
  const result: Properties = { ...properties };
  delete result.topicAlias;
  delete result.subscriptionIdentifier;
  const added = brokers.flatMap((broker): [string, string][] => (broker === null ? [] : [[VIA, broker]]));
  if (added.length > 0) result.userProperties = [...(properties.userProperties ?? []), ...added];
  return result;
}

/** An echo that has not come by then will not come. */
const ECHO_MS = 30_000;
/** Messages remembered; the oldest are forgotten. */
const REMEMBERED_MAX = 10_000;

export class EchoGuard {
  private readonly expected = new Map<string, { times: number; at: number }>();

  /** Sent out on a topic that we subscribe to over there. */
  sent(topicName: string, payload: Buffer, now: number): void {
    const key = keyOf(topicName, payload);
    const before = this.expected.get(key);
    this.expected.delete(key);
    this.expected.set(key, { times: isFresh(before, now) ? before.times + 1 : 1, at: now });
    if (this.expected.size <= REMEMBERED_MAX) return;
    const [oldest] = this.expected.keys();
    if (oldest !== undefined) this.expected.delete(oldest);
  }

  /** Whether this is one of ours that has come back; each is recognised once. */
  recognises(topicName: string, payload: Buffer, now: number): boolean {
    const key = keyOf(topicName, payload);
    const known = this.expected.get(key);
    if (!isFresh(known, now)) return false;
    if (--known.times === 0) this.expected.delete(key);
    return true;
  }
}

function isFresh<T extends { at: number }>(known: T | undefined, now: number): known is T {
  return known !== undefined && now - known.at < ECHO_MS;
}

function keyOf(topicName: string, payload: Buffer): string {
  return `${topicName}\0${payload.length <= 64 ? payload.toString('latin1') : hash('sha256', payload)}`;
}
