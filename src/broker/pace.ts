/**
 * How fast one client may publish, or all of one user or address together (publish_rate_by): messages and payload bytes
 * a second, a second's worth of each at once.
 *
 *   slow     taken, and not read again before it is within its rates; nothing is lost
 *   refuse   QoS 0 dropped and counted; QoS 1 and 2 answered with 0x97; MQTT 3, which has no such answer, slowed
 */
import { sourceOf, TokenBucket } from '../base/mod.ts';
import { reasonCodes } from '../codec/mod.ts';
import type { Broker } from './broker.ts';
import type { Connection } from './connection.ts';
import { waitForPace } from './reading.ts';

/** Nobody is left unread for longer at a time: whether it is still there shows only when it is read. */
const PAUSE_MS_MAX = 30_000;

export interface Pace {
  readonly messages: TokenBucket;
  readonly bytes: TokenBucket;
}

/** What a PUBLISH of the packet at hand has to be answered with instead of being taken; `drop` for nothing at all. */
export function paceOf(broker: Broker, connection: Connection): typeof reasonCodes.quotaExceeded | 'drop' | null {
  const { maxPublishRate, maxPublishByteRate, publishRateExceeded } = broker.settings;
  if (maxPublishRate === 0 && maxPublishByteRate === 0) return null;
  if (connection.peer.listener.bridge !== undefined) return null;
  const { qos, payloadStart, payloadEnd } = broker.view;
  const pace = (connection.pace ??= paceFor(broker, connection));
  const bytes = payloadEnd - payloadStart;
  if (publishRateExceeded === 'refuse' && (qos === 0 || connection.version === 5) && isOver(broker, pace)) {
    if (isRepeated(broker, connection)) return null;
    broker.drops.note(connection.clientId, 'over-rate', bytes, broker.unixSecond);
    return qos === 0 ? 'drop' : reasonCodes.quotaExceeded;
  }
  const { messages } = pace;
  const forMessages = maxPublishRate === 0 ? 0 : messages.take(1, maxPublishRate, broker.now);
  const forBytes = maxPublishByteRate === 0 ? 0 : pace.bytes.take(bytes, maxPublishByteRate, broker.now);
  const wait = Math.max(forMessages, forBytes);
  if (wait > 0 && publishRateExceeded === 'slow') waitForPace(connection, Math.min(wait, PAUSE_MS_MAX));
  else if (wait > 0 && connection.version !== 5 && qos > 0) waitForPace(connection, Math.min(wait, PAUSE_MS_MAX));
  return null;
}

/** Of a user or an address: who comes back has the one it left. Who has been away longest is forgotten, and starts anew. */
const PACES_MAX = 10_000;

function paceFor(broker: Broker, { identity }: Connection): Pace {
  const { paces } = broker;
  const { publishRateBy } = broker.settings;
  // Who has no user name is nobody in common with others.
  const whose = publishRateBy === 'address' ? sourceOf(identity.address) : publishRateBy === 'user' ? identity.username : null; // prettier-ignore
  if (whose === null) return newPace(broker);
  const pace = paces.get(whose) ?? newPace(broker);
  paces.delete(whose);
  paces.set(whose, pace);
  const [oldest] = paces.keys();
  if (paces.size > PACES_MAX && oldest !== undefined) paces.delete(oldest);
  return pace;
}

function newPace({ settings, now }: Broker): Pace {
  return {
    messages: new TokenBucket(settings.maxPublishRate, now),
    bytes: new TokenBucket(settings.maxPublishByteRate, now),
  };
}

function isOver({ settings, now }: Broker, { messages, bytes }: Pace): boolean {
  const { maxPublishRate, maxPublishByteRate } = settings;
  if (maxPublishRate > 0 && !messages.has(maxPublishRate, now)) return true;
  return maxPublishByteRate > 0 && !bytes.has(maxPublishByteRate, now);
}

/** An exchange that was begun is not ended by a refusal: its message is taken already. */
function isRepeated({ view }: Broker, { session }: Connection): boolean {
  return view.qos === 2 && session!.incoming.get(view.packetId) !== undefined;
}
