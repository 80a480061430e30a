/** The shapes of Mosquitto's debug lines (docs/compat/runtime.md, 2). Made only when somebody wants them. */
import type { PublishParts, PublishView } from '../codec/mod.ts';

function bit(flag: boolean): number {
  return flag ? 1 : 0;
}

/** `(d0, q1, r0, m1, 'topic', ... (5 bytes))` of an outgoing PUBLISH. */
export function publishLine(p: PublishParts): string {
  const topic = Buffer.from(p.topic).toString('utf8');
  const bytes = p.payloadEnd - p.payloadStart;
  return `(d${bit(p.dup)}, q${p.qos}, r${bit(p.retain)}, m${p.packetId}, '${topic}', ... (${bytes} bytes))`;
}

/** The same of an incoming one. */
export function receivedLine(view: PublishView, topicName: string): string {
  const bytes = view.payloadEnd - view.payloadStart;
  const flags = `d${bit(view.dup)}, q${view.qos}, r${bit(view.retain)}, m${view.packetId}`;
  return `(${flags}, '${topicName}', ... (${bytes} bytes))`;
}
