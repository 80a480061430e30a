/**
 * Topic aliases of outgoing messages (MQTT 5, 3.3.2.3.4). An alias lives as long as one connection: the first message
 * that uses it carries the topic, later ones only the number, and after a reconnection the topic is sent again.
 */
import type { ProtocolVersion, PublishParts } from '../codec/mod.ts';
import type { Publication } from './outgoing.ts';

/** What of a message goes into its packet. */
export type AliasedPublication = Omit<Publication, 'phase' | 'resolve' | 'reject'>;

const noTopic = Buffer.alloc(0);

export class AliasBook {
  private readonly known = new Map<number, string>();
  private readonly chosen = new Map<string, number>();
  private chosenMax = 0;

  /** A new connection; up to `chosenMax` topics get an alias without being asked for. */
  begin(chosenMax: number): void {
    this.known.clear();
    this.chosen.clear();
    this.chosenMax = chosenMax;
  }

  parts(publication: AliasedPublication, dup: boolean, version: ProtocolVersion): PublishParts {
    const { topic, payload, qos, retain, packetId, rawProperties } = publication;
    const alias = publication.topicAlias || this.choose(topic);
    const isKnown = alias > 0 && this.known.get(alias) === topic;
    if (alias > 0) this.known.set(alias, topic);
    return {
      version,
      qos,
      dup,
      retain,
      topic: isKnown ? noTopic : Buffer.from(topic),
      packetId,
      properties: rawProperties,
      messageExpiryInterval: 0,
      topicAlias: alias,
      subscriptionIdentifier: 0,
      payload,
      payloadStart: 0,
      payloadEnd: payload.length,
    };
  }

  private choose(topic: string): number {
    if (this.chosenMax === 0) return 0;
    const before = this.chosen.get(topic);
    if (before !== undefined) return before;
    if (this.chosen.size >= this.chosenMax) return 0;
    const alias = this.chosen.size + 1;
    this.chosen.set(topic, alias);
    return alias;
  }
}
