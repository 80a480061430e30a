/**
 * Outgoing messages of QoS 1 and 2 on their way (MQTT 5, 4.3 and 4.4):
 *
 *   publish() -> waiting ... -> in flight: PUBLISH -> PUBACK                      resolved
 *                               (window)   PUBLISH -> PUBREC, PUBREL -> PUBCOMP   resolved
 *
 * They outlive a connection: on the next one what was in flight is sent again, in order, with the same identifiers:
 * marked as duplicates where the broker kept the session, anew where it did not.
 */
import { RingQueue } from '../base/mod.ts';
import { type Ack, type AckName, NO_PROPERTIES, type Properties, type PublishParts } from '../codec/mod.ts';
import type { ClientError } from './client-error.ts';
import type { Connection } from './connection.ts';
import type { Qos } from './options.ts';
import type { PacketIds } from './packet-ids.ts';

/** What became of a message. */
export interface Published {
  packetId: number;
  /** 0 (or 0x10: nobody subscribes) when taken, 0x80 and above when refused. Always 0 in MQTT 3.x. */
  reasonCode: number;
  properties: Readonly<Properties>;
}

export interface Publication {
  topic: string;
  payload: Buffer;
  qos: Qos;
  retain: boolean;
  rawProperties: Buffer;
  /** As asked for; 0 for none. */
  topicAlias: number;
  packetId: number;
  phase: 'publish' | 'release';
  resolve: (published: Published) => void;
  reject: (error: ClientError) => void;
}

/** Turns a publication into the packet of this connection: its topic alias is a matter of the connection. */
export type MakeParts = (publication: Publication, dup: boolean) => PublishParts;

export class Outgoing {
  private readonly ids: PacketIds;
  private readonly makeParts: MakeParts;
  private readonly waiting = new RingQueue<Publication>();
  private readonly inFlight = new Map<number, Publication>();
  window = 20;

  constructor(ids: PacketIds, makeParts: MakeParts) {
    this.ids = ids;
    this.makeParts = makeParts;
  }

  /** Messages that the broker has not taken yet. */
  get size(): number {
    return this.waiting.size + this.inFlight.size;
  }

  add(publication: Publication): void {
    this.waiting.push(publication);
  }

  /** Sends as many as the window allows. */
  pump(connection: Connection): void {
    while (this.inFlight.size < this.window && this.waiting.size > 0) {
      const packetId = this.ids.take();
      if (packetId === null) return;
      const publication = this.waiting.shift()!;
      publication.packetId = packetId;
      this.inFlight.set(packetId, publication);
      connection.sendPublish(this.makeParts(publication, false), publication.topic);
    }
  }

  /** What was in flight when the last connection ended. */
  replay(connection: Connection, sessionPresent: boolean): void {
    for (const publication of this.inFlight.values()) {
      if (!sessionPresent) publication.phase = 'publish';
      if (publication.phase === 'release') connection.sendAck('pubrel', publication.packetId);
      else connection.sendPublish(this.makeParts(publication, sessionPresent), publication.topic);
    }
  }

  /** An acknowledgement of the broker; those of nothing in flight are answered where the rules ask for it. */
  acknowledged(name: AckName, ack: Ack, connection: Connection): void {
    const publication = this.inFlight.get(ack.packetId);
    if (name === 'pubrec' && (publication === undefined || publication.qos === 2)) {
      this.received(publication, ack, connection);
    } else if (publication !== undefined && name === (publication.qos === 1 ? 'puback' : 'pubcomp')) {
      this.finish(publication, ack);
    }
    this.pump(connection);
  }

  failAll(error: ClientError): void {
    for (const publication of this.inFlight.values()) publication.reject(error);
    this.inFlight.clear();
    for (let next = this.waiting.shift(); next !== undefined; next = this.waiting.shift()) next.reject(error);
  }

  /** PUBREC: refused, or to be released. One for an unknown identifier is released too. [MQTT-4.3.3] */
  private received(publication: Publication | undefined, ack: Ack, connection: Connection): void {
    if (publication !== undefined && ack.reasonCode >= 0x80) return this.finish(publication, ack);
    if (publication !== undefined) publication.phase = 'release';
    connection.sendAck('pubrel', ack.packetId);
  }

  private finish(publication: Publication, ack: Ack): void {
    const { packetId, reasonCode, properties } = ack;
    this.inFlight.delete(packetId);
    this.ids.release(packetId);
    publication.resolve({ packetId, reasonCode, properties: properties ?? NO_PROPERTIES });
  }
}
