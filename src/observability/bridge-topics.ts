/** What $SYS tells of bridges: below `$SYS/zancudo/bridges/NAME/`, in addition to Mosquitto's state topic. */
import type { BridgeFacts } from '../broker/ports.ts';

export interface BridgeTopicRow {
  topic: string;
  says: string;
  value: (facts: BridgeFacts) => string | number;
}

export const bridgeTopicRows: readonly BridgeTopicRow[] = [
  { topic: 'state', says: 'connecting, connected, waiting, idle or stopped', value: facts => facts.state },
  { topic: 'address', says: 'the other broker, present or next', value: facts => facts.address },
  { topic: 'error', says: 'why it is not connected, or was not the last time', value: facts => facts.lastError?.message ?? '' }, // prettier-ignore
  { topic: 'connections', says: 'times that it was connected', value: facts => facts.connections },
  { topic: 'waiting', says: 'messages that wait to go out', value: facts => facts.waiting },
  {
    topic: 'held-back/loop',
    says: 'messages that came back and were not passed on',
    value: facts => facts.heldBack.loop,
  },
  { topic: 'held-back/too-large', says: 'messages too large for one side', value: facts => facts.heldBack['too-large'] }, // prettier-ignore
  { topic: 'held-back/refused', says: 'messages that the other broker refused', value: facts => facts.heldBack.refused }, // prettier-ignore
  { topic: 'held-back/unmapped', says: 'messages that no topic line fits', value: facts => facts.heldBack.unmapped },
];

/** Topic and payload; each topic line has its own counts, numbered from 1. */
export function bridgeTopics(bridges: readonly BridgeFacts[]): Map<string, string> {
  const result = new Map<string, string>();
  for (const facts of bridges) {
    const put = (topic: string, value: string | number): void =>
      void result.set(`$SYS/zancudo/bridges/${facts.name}/${topic}`, String(value));
    for (const { topic, value } of bridgeTopicRows) put(topic, value(facts));
    facts.topics.forEach((counts, i) => {
      put(`topics/${i + 1}/out`, counts.out);
      put(`topics/${i + 1}/in`, counts.in);
    });
  }
  return result;
}
