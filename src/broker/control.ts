/**
 * `$CONTROL/...` topics are requests to the broker itself: they reach no subscriber and are never retained. A topic
 * that no part serves is answered so, to the sender alone (docs/compat/dynsec.md, 2).
 */
import { Message } from '../session/mod.ts';
import type { Broker } from './broker.ts';
import type { Connection } from './connection.ts';
import { sendMessageAtMostOnce } from './deliver.ts';
import type { Identity } from './ports.ts';

const NOT_AVAILABLE = Buffer.from('{"error": "endpoint not available"}');
const NO_BYTES = Buffer.alloc(0);

export function isControlTopic(topicName: string): boolean {
  return topicName.startsWith('$CONTROL/');
}

export function answerControl(broker: Broker, connection: Connection, topicName: string): void {
  const topic = broker.topics.findText(`${topicName}/response`);
  // Too long with what was put behind it.
  if (topic === null) return;
  const { name, bytes } = topic;
  const message = new Message<Identity>(name, bytes, NOT_AVAILABLE, NO_BYTES, 0 as const, false, 0, null);
  sendMessageAtMostOnce(broker, connection, message, false, 0);
}
