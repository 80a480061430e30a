/**
 * A client that keeps every rule of MQTT, over a link that keeps none: it remembers what it must over reconnections,
 * sends again what it must, and notes what it was given.
 *
 *   publish() ──► waiting ──► inFlight (publish → pubrel) ──► done
 *   read() ──► received, with the acknowledgements that it still owes
 */
import assert from 'node:assert/strict';
import * as bytes from '../conformance/bytes.ts';
import type { Received, Version } from '../conformance/bytes.ts';
import type { SimulatedLink, World } from './world.ts';

export interface ModelOptions {
  clientId: string;
  version: Version;
  filter: string;
  grantedQos: number;
  /** Version 5 only. */
  receiveMaximum: number;
  keepAlive: number;
  blocksAt: number;
}

interface Outgoing {
  topic: string;
  payload: string;
  qos: number;
  released: boolean;
}

/** Messages above QoS 0 that it has open at once; below the broker's receive maximum of 20. */
const IN_FLIGHT_MAX = 8;

export class ModelClient {
  readonly options: ModelOptions;
  link: SimulatedLink | null = null;
  connected = false;
  subscribed = false;
  /** Everything it was given, in order; QoS 2 messages once each. */
  readonly received: { payload: string; qos: number; dup: boolean }[] = [];
  /** Transmissions of each payload that reached the broker whole. */
  readonly arrived = new Map<string, number>();
  readonly #world: World;
  readonly #waiting: Omit<Outgoing, 'released'>[] = [];
  readonly #inFlight = new Map<number, Outgoing>();
  readonly #sequences = [0, 0, 0];
  #packetId = 0;
  #hadSession = false;
  #unread: Buffer = Buffer.alloc(0);
  #unparsed: Buffer = Buffer.alloc(0);
  #owed: Buffer[] = [];
  /** Packet identifiers of messages that were received and not yet completed. */
  readonly #open = new Set<number>();
  /** Topics by the aliases that the broker has given on this connection. */
  readonly #aliases = new Map<number, string>();
  /** QoS 2 messages that were taken and wait for PUBREL. */
  readonly #taken = new Set<number>();

  constructor(world: World, options: ModelOptions) {
    this.#world = world;
    this.options = options;
  }

  /** True when nothing is left to send, to wait for or to acknowledge. */
  get idle(): boolean {
    const quiet = this.link !== null && this.link.sentBytes === 0 && this.link.pendingBytes === 0;
    return quiet && this.subscribed && this.#waiting.length + this.#inFlight.size + this.#owed.length === 0;
  }

  /** How many messages of this QoS it was asked to publish. */
  published(qos: number): number {
    return this.#sequences[qos]!;
  }

  connect(): void {
    const { clientId, version, receiveMaximum, keepAlive, blocksAt } = this.options;
    const old = this.link;
    this.link = this.#world.dial(blocksAt);
    this.#unread = this.#unparsed = Buffer.alloc(0);
    this.#owed = [];
    this.#open.clear();
    this.#aliases.clear();
    this.connected = false;
    const properties = [
      ['sessionExpiry', 0xffffffff],
      ['receiveMaximum', receiveMaximum],
      ['topicAliasMaximum', 3],
    ] as const;
    this.link.send(
      bytes.connect({ version, clientId, clean: false, keepAlive, properties: version === 5 ? properties : [] }),
    );
    this.#abandoned = old !== null && !old.closed ? old : null;
  }

  /** The link of before, which the broker may still take for alive. */
  #abandoned: SimulatedLink | null = null;

  break(): void {
    this.#abandoned?.close();
    this.link?.close();
    this.link = null;
    this.connected = false;
  }

  /** The broker ended the conversation: the link goes with it. */
  noticeEnd(): void {
    if (this.#abandoned?.ended) this.#abandoned.close();
    if (this.link?.ended && this.link.pendingBytes === 0) this.break();
  }

  disconnect(): void {
    if (this.connected) this.link?.send(bytes.hex('e0 00'));
  }

  ping(): void {
    if (this.connected) this.link!.send(bytes.PINGREQ);
  }

  publish(qos: number): void {
    this.#sequences[qos]! += 1;
    const { clientId } = this.options;
    const message = { topic: `s/${clientId}/${qos}`, payload: `${clientId}:${qos}:${this.#sequences[qos]}`, qos };
    if (qos > 0) this.#waiting.push(message);
    else if (this.connected) this.#transmit(message, 0, false);
    this.sendWaiting();
  }

  sendWaiting(): void {
    while (this.connected && this.#inFlight.size < IN_FLIGHT_MAX && this.#waiting.length > 0) {
      const message = this.#waiting.shift()!;
      const packetId = this.#freePacketId();
      this.#inFlight.set(packetId, { ...message, released: false });
      this.#transmit(message, packetId, false);
    }
  }

  /** Bytes reach the broker. */
  arrive(count: number): void {
    if (this.link === null) return;
    this.#unparsed = Buffer.concat([this.#unparsed, this.link.arrive(count)]);
    for (let cut = bytes.cutPacket(this.#unparsed); cut; cut = bytes.cutPacket(this.#unparsed)) {
      this.#unparsed = cut[1];
      if (cut[0][0]! >> 4 !== 3) continue;
      const payload = bytes.decode(cut[0], this.options.version).payload.toString();
      this.arrived.set(payload, (this.arrived.get(payload) ?? 0) + 1);
    }
  }

  /** Bytes of the broker are read, and their packets taken. */
  read(count: number): void {
    if (this.link === null) return;
    this.#unread = Buffer.concat([this.#unread, this.link.read(count)]);
    for (let cut = bytes.cutPacket(this.#unread); cut; cut = bytes.cutPacket(this.#unread)) {
      this.#unread = cut[1];
      this.#take(bytes.decode(cut[0], this.options.version));
    }
    this.sendWaiting();
  }

  /** Sends the oldest of the acknowledgements that it owes. */
  acknowledge(count: number): void {
    for (const packet of this.#owed.splice(0, count)) {
      this.link?.send(packet);
      const first = packet[0]!;
      if (first === bytes.PUBACK || first === bytes.PUBCOMP) this.#open.delete(packet.readUInt16BE(2));
    }
  }

  #freePacketId(): number {
    do this.#packetId = (this.#packetId % 50) + 1;
    while (this.#inFlight.has(this.#packetId));
    return this.#packetId;
  }

  #transmit(message: Omit<Outgoing, 'released'>, packetId: number, dup: boolean): void {
    this.link!.send(bytes.publish({ version: this.options.version, ...message, packetId, dup }));
  }

  #take(packet: Received): void {
    switch (packet.name) {
      case 'CONNACK':
        return this.#onConnack(packet);
      case 'PUBLISH':
        return this.#onPublish(packet);
      case 'PUBREL':
        this.#taken.delete(packet.packetId);
        this.#owed.push(bytes.ack(bytes.PUBCOMP, packet.packetId));
        return;
      case 'PUBREC':
        return this.#onPubrec(packet);
      case 'PUBACK':
      case 'PUBCOMP':
        assert.ok(packet.code < 0x80, `${packet.name} 0x${packet.code.toString(16)}`);
        this.#inFlight.delete(packet.packetId);
        return;
      case 'SUBACK':
        this.subscribed = true;
        return;
      case 'DISCONNECT':
        assert.equal(packet.code, 0x8e, `the broker ended the conversation with 0x${packet.code.toString(16)}`);
        return;
      default:
        assert.equal(packet.name, 'PINGRESP');
    }
  }

  #onConnack(packet: Received): void {
    assert.equal(packet.code, 0);
    assert.equal(packet.sessionPresent, this.#hadSession && this.options.version > 3, 'session present');
    this.#hadSession = true;
    this.connected = true;
    if (!this.subscribed) {
      const { version, filter, grantedQos } = this.options;
      this.link!.send(bytes.subscribe(version, 60_000, [[filter, grantedQos]]));
    }
    for (const [packetId, message] of this.#inFlight) {
      if (message.released) this.link!.send(bytes.ack(bytes.PUBREL, packetId));
      else this.#transmit(message, packetId, true);
    }
  }

  #onPubrec(packet: Received): void {
    assert.ok(packet.code < 0x80, `PUBREC 0x${packet.code.toString(16)}`);
    const message = this.#inFlight.get(packet.packetId);
    if (message) message.released = true;
    this.link!.send(bytes.ack(bytes.PUBREL, packet.packetId));
  }

  #onPublish(packet: Received): void {
    const { packetId, qos, dup } = packet;
    const payload = packet.payload.toString();
    const [publisher, published] = payload.split(':');
    assert.equal(this.#topicOf(packet), `s/${publisher}/${published}`, `the topic of ${payload}`);
    if (qos > 0) {
      assert.ok(!this.#open.has(packetId), `packet identifier ${packetId} was used for a second message`);
      this.#open.add(packetId);
      const limit = this.options.version === 5 ? this.options.receiveMaximum : 20;
      assert.ok(this.#open.size <= limit, `${this.#open.size} messages in flight, ${limit} are allowed`);
    }
    if (qos < 2) {
      this.received.push({ payload, qos, dup });
      if (qos === 1) this.#owed.push(bytes.ack(bytes.PUBACK, packetId));
      return;
    }
    if (!this.#taken.has(packetId)) this.received.push({ payload, qos, dup });
    this.#taken.add(packetId);
    this.#owed.push(bytes.ack(bytes.PUBREC, packetId));
  }
  #topicOf({ topic, properties }: Received): string | undefined {
    const alias = new Map(properties).get('topicAlias') as number | undefined;
    if (alias === undefined) return topic;
    if (topic !== '') this.#aliases.set(alias, topic);
    return this.#aliases.get(alias);
  }
}
