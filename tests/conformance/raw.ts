/**
 * Peer is one packet-level client: it sends whatever bytes a test wants and takes packets in the order they came.
 *
 *   test ── send(bytes) ──────────────► broker
 *   test ◄─ receive() / expectClose() ─ packets, then the end
 *
 * Nothing is answered by itself: a test that does not acknowledge has not acknowledged.
 * Absence is proved with a ping, not with a wait: what the broker had sent before would arrive before the PINGRESP.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as dial } from 'node:net';
import type { Duplex } from 'node:stream';
import * as bytes from './bytes.ts';
import { patienceMs } from '../harness/mod.ts';
import type { ConnectFields, FilterOptions, Property, PublishFields, Received, Version } from './bytes.ts';

/** Long enough for a loaded machine: it is only ever waited out by a failing test. */
const PATIENCE_MS = patienceMs;

export interface SubscribeOptions {
  properties?: readonly Property[] | Buffer;
}

export class Peer {
  version: Version = 5;
  clientId = '';
  readonly stream: Duplex;
  #bytes: Buffer = Buffer.alloc(0);
  #ended = false;
  #wake: () => void = () => {};
  #packetId = 0;

  constructor(stream: Duplex) {
    this.stream = stream;
    stream.on('data', (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
      this.#wake();
    });
    const end = (): void => {
      this.#ended = true;
      this.#wake();
    };
    stream.on('close', end).on('end', end).on('error', end);
  }

  static async dial(port: number): Promise<Peer> {
    const socket = dial({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    return new Peer(socket);
  }

  send(...parts: (Buffer | string)[]): void {
    this.stream.write(Buffer.concat(parts.map(part => (typeof part === 'string' ? bytes.hex(part) : part))));
  }

  destroy(): void {
    this.stream.destroy();
  }

  /** The next packet, or null when the broker closed. */
  async #next(): Promise<Received | null> {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const cut = bytes.cutPacket(this.#bytes);
      if (cut) {
        this.#bytes = cut[1];
        return bytes.decode(cut[0], this.version);
      }
      if (this.#ended) return null;
      const left = deadline - Date.now();
      if (left <= 0) assert.fail(`${this.clientId}: neither a packet nor a close within ${PATIENCE_MS / 1000} s`);
      await this.#changed(left);
    }
  }

  async #changed(timeoutMs: number): Promise<void> {
    await new Promise<void>(resolve => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** The next packet, whatever it is. */
  async receiveAny(): Promise<Received> {
    const packet = await this.#next();
    assert.ok(packet, 'the broker closed where a packet was due');
    return packet;
  }

  async receive(name: string): Promise<Received> {
    const packet = await this.#next();
    assert.ok(packet, `${this.clientId}: the broker closed where ${name} was due`);
    assert.equal(packet.name, name, `${packet.bytes.toString('hex')} came where ${name} was due`);
    return packet;
  }

  /** The next packet is exactly these bytes. */
  async expectBytes(expected: string): Promise<void> {
    const packet = await this.#next();
    assert.ok(packet, `the broker closed where ${expected} was due`);
    assert.equal(packet.bytes.toString('hex'), bytes.hex(expected).toString('hex'));
  }

  /** The broker closes and says nothing before. */
  async expectClose(): Promise<void> {
    const packet = await this.#next();
    assert.equal(packet?.bytes.toString('hex'), undefined, 'a packet came where only a close was due');
    this.destroy();
  }

  /** DISCONNECT in its two-byte form with this reason code, then the close. */
  async expectDisconnect(reason: number): Promise<void> {
    await this.expectBytes(`e0 01 ${reason.toString(16).padStart(2, '0')}`);
    await this.expectClose();
  }

  /** The broker closes; what it says before is not looked at. */
  async expectEnd(): Promise<void> {
    while (await this.#next());
    this.destroy();
  }

  /** Nothing was sent up to now, and the connection is alive. */
  async expectNothing(): Promise<void> {
    this.send(bytes.PINGREQ);
    await this.receive('PINGRESP');
  }

  /** Everything sent so far has been processed. */
  async settle(): Promise<void> {
    await this.expectNothing();
  }

  nextPacketId(): number {
    this.#packetId += 1;
    return this.#packetId;
  }

  async connect(fields: ConnectFields = {}): Promise<Received> {
    this.version = fields.version ?? 5;
    this.clientId = (fields.clientId ?? '').toString();
    this.send(bytes.connect(fields));
    return this.receive('CONNACK');
  }

  /** Sends a PUBLISH and nothing more; gives the packet identifier. */
  sendPublish(topic: string, payload: string | Buffer, fields: Partial<PublishFields> = {}): number {
    const packetId = fields.packetId ?? (fields.qos ? this.nextPacketId() : 0);
    this.send(bytes.publish({ version: this.version, ...fields, topic, payload, packetId }));
    return packetId;
  }

  /** Publishes and completes the handshake of its QoS; gives the reason code of PUBACK or PUBREC. */
  async publish(topic: string, payload: string | Buffer, fields: Partial<PublishFields> = {}): Promise<number> {
    const packetId = this.sendPublish(topic, payload, fields);
    if (!fields.qos) {
      await this.settle();
      return 0;
    }
    const answer = await this.receive(fields.qos === 1 ? 'PUBACK' : 'PUBREC');
    assert.equal(answer.packetId, packetId);
    if (fields.qos === 2 && answer.code < 0x80) {
      this.send(bytes.ack(bytes.PUBREL, packetId));
      assert.equal((await this.receive('PUBCOMP')).packetId, packetId);
    }
    return answer.code;
  }

  /** Subscribes and gives the codes of the SUBACK. */
  async subscribe(
    filters: string | readonly FilterOptions[],
    options = 0,
    properties: readonly Property[] | Buffer = [],
  ): Promise<number[]> {
    const packetId = this.nextPacketId();
    const list = typeof filters === 'string' ? [[filters, options] as const] : filters;
    this.send(bytes.subscribe(this.version, packetId, list, properties));
    const suback = await this.receive('SUBACK');
    assert.equal(suback.packetId, packetId);
    return suback.codes;
  }

  async unsubscribe(...filters: string[]): Promise<number[]> {
    const packetId = this.nextPacketId();
    this.send(bytes.unsubscribe(this.version, packetId, filters));
    const unsuback = await this.receive('UNSUBACK');
    assert.equal(unsuback.packetId, packetId);
    return unsuback.codes;
  }

  /** Takes a PUBLISH and completes the handshake of its QoS. */
  async take(): Promise<Received> {
    const message = await this.receive('PUBLISH');
    if (message.qos === 1) this.send(bytes.ack(bytes.PUBACK, message.packetId));
    if (message.qos === 2) {
      this.send(bytes.ack(bytes.PUBREC, message.packetId));
      assert.equal((await this.receive('PUBREL')).packetId, message.packetId);
      this.send(bytes.ack(bytes.PUBCOMP, message.packetId));
    }
    return message;
  }

  /** Takes a PUBLISH of which only the payload matters. */
  async expectMessage(payload: string): Promise<Received> {
    const message = await this.take();
    assert.equal(message.payload.toString(), payload);
    return message;
  }

  /** Every message that was sent up to now, acknowledged, as text. */
  async drain(): Promise<string[]> {
    const payloads: string[] = [];
    this.send(bytes.PINGREQ);
    for (;;) {
      const packet = await this.receiveAny();
      if (packet.name === 'PINGRESP') return payloads;
      assert.equal(packet.name, 'PUBLISH');
      assert.ok(packet.qos < 2, 'drain() does not speak QoS 2');
      payloads.push(packet.payload.toString());
      if (packet.qos === 1) this.send(bytes.ack(bytes.PUBACK, packet.packetId));
    }
  }

  /** Ends the conversation the polite way and waits until the broker has done so too. */
  async disconnect(reason?: number, properties?: readonly Property[]): Promise<void> {
    const body =
      reason === undefined ? [] : [bytes.u8(reason), ...(properties ? [bytes.propertyField(properties)] : [])];
    this.send(bytes.frame(0xe0, ...body));
    await this.expectClose();
  }
}
