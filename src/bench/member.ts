/**
 * Member: one client of the crowd that the generator is, as publisher, subscriber or neither. It speaks just as much
 * MQTT as a run needs, on the product's codec, and puts what it sends into one buffer that is written once per turn.
 */
import type { Properties, ProtocolVersion } from '../client/mod.ts';
import { reasonName, returnCodeName } from '../client/mod.ts';
import {
  encodeConnect,
  encodeDisconnect,
  encodeSubscribe,
  firstByteOf,
  FrameReader,
  frameStatus,
  PacketError,
  packetTypes,
  PINGREQ,
  readConnack,
  readSuback,
  writeAck,
} from '../codec/mod.ts';
import type { Qos } from '../client/mod.ts';
import type { Line, LineOwner, OpenLine } from './line.ts';
import type { Publisher } from './publisher.ts';
import { filling, numberAt, numberIn, publisherAt, runAt, stampBytes, timeAt } from './stamp.ts';
import type { Turn } from './turn.ts';

/** What a member tells. */
export interface Crowd {
  readonly turn: Turn;
  readonly version: ProtocolVersion;
  /** Bytes of payload. */
  readonly size: number;
  readonly run: number;
  /** Times of the stamps are of interest. */
  readonly isTimed: boolean;
  fail(why: string): void;
  onReady(member: Member): void;
  onSubscribed(member: Member): void;
  onPong(): void;
  /** `number` and `publisher` as the stamp says; `time` 0 when not measured. */
  onDelivery(member: Member, publisher: number, number: number, time: number): void;
  onForeign(): void;
  onEnded(member: Member, asked: boolean, why: string): void;
}

export interface MemberIdentity {
  clientId: string;
  username: string | null;
  password: Buffer | null;
  persistent: boolean;
}

const noLimits = new Uint32Array(16);
const firstRoom = 512;
const acks = {
  puback: firstByteOf('puback'),
  pubrec: firstByteOf('pubrec'),
  pubrel: firstByteOf('pubrel'),
  pubcomp: firstByteOf('pubcomp'),
};

export class Member implements LineOwner {
  readonly index: number;
  publisher: Publisher | null = null;
  /** Numbers awaited next, by publisher or, where it has but one, at 0. */
  expected = new Uint32Array(0);
  isReady = false;
  isOpen = false;
  sessionPresent = false;
  receiveMaximum = 65_535;
  out: Buffer = Buffer.alloc(0);
  openedAt = 0;
  identity: MemberIdentity;
  received = 0;
  private readonly crowd: Crowd;
  private readonly reader = new FrameReader(noLimits);
  private line: Line | null = null;
  private filled = 0;
  private isQueued = false;
  private isLeaving = false;
  private subscribeId = 0;
  /** What every payload ends with. */
  private readonly lastByte: number;

  constructor(crowd: Crowd, index: number, identity: MemberIdentity) {
    this.crowd = crowd;
    this.lastByte = filling(crowd.size - 1);
    this.index = index;
    this.identity = identity;
  }

  open(openLine: OpenLine, serial: number): void {
    this.isOpen = true;
    this.isLeaving = false;
    this.isReady = false;
    this.filled = 0;
    this.openedAt = performance.now();
    this.line = openLine(this, serial);
  }

  onOpen(): void {
    this.send(this.connectPacket());
    this.flush();
  }

  private connectPacket(): Buffer {
    const { clientId, username, password, persistent } = this.identity;
    const properties: Properties = persistent && this.crowd.version === 5 ? { sessionExpiryInterval: 3600 } : {};
    return encodeConnect({
      version: this.crowd.version,
      bridge: false,
      cleanStart: !persistent,
      keepAlive: 0,
      clientId,
      username,
      password,
      will: null,
      properties,
    });
  }

  subscribe(filters: readonly string[], qos: Qos): void {
    this.subscribeId = (this.subscribeId % 0xffff) + 1;
    const items = filters.map(topicFilter => ({
      topicFilter,
      qos,
      noLocal: false,
      retainAsPublished: false,
      retainHandling: 0 as const,
    }));
    this.send(encodeSubscribe({ packetId: this.subscribeId, properties: {}, items }, this.crowd.version));
  }

  ping(): void {
    this.send(PINGREQ);
  }

  /** Says DISCONNECT and leaves the closing to the broker. */
  leave(): void {
    this.send(encodeDisconnect({ reasonCode: 0, properties: {} }, this.crowd.version));
    this.isLeaving = true;
  }

  close(): void {
    this.isLeaving = true;
    this.isReady = false;
    this.line?.close();
  }

  send(packet: Buffer): void {
    const at = this.room(packet.length);
    packet.copy(this.out, at);
  }

  /** Bytes that the broker has not taken yet. */
  get unsent(): number {
    return this.filled + (this.line?.unsent ?? 0);
  }

  /** Makes room for a packet that goes out with this turn, and returns where it starts in `out`. */
  room(bytes: number): number {
    const at = this.filled;
    if (at + bytes > this.out.length) {
      const wider = Buffer.allocUnsafeSlow(Math.max(firstRoom, at + bytes, this.out.length * 2));
      this.out.copy(wider, 0, 0, at);
      this.out = wider;
    }
    this.filled = at + bytes;
    if (!this.isQueued) {
      this.isQueued = true;
      this.crowd.turn.flush(this);
    }
    return at;
  }

  flush(): void {
    this.isQueued = false;
    if (this.filled === 0 || this.line === null) return;
    const bytes = this.out.subarray(0, this.filled);
    this.filled = 0;
    // Bytes that still wait own their memory: a buffer in use is never written to.
    if (!this.line.write(bytes)) this.out = Buffer.allocUnsafeSlow(this.out.length);
    if (this.line.unsent === 0) this.publisher?.unblocked();
  }

  onDrain(): void {
    this.publisher?.unblocked();
  }

  onClosed(why: string): void {
    const asked = this.isLeaving;
    this.isOpen = this.isReady = false;
    this.line = null;
    this.filled = 0;
    this.crowd.onEnded(this, asked, why);
  }

  onBytes(chunk: Buffer): void {
    const { reader, crowd } = this;
    crowd.turn.bytesRead += chunk.length;
    crowd.turn.schedule();
    reader.push(chunk);
    try {
      for (;;) {
        const status = reader.next();
        if (status === frameStatus.wait) return;
        if (status !== frameStatus.packet) throw new Error('a length that MQTT does not have');
        this.onPacket(reader.first, reader.bytes, reader.start, reader.end);
      }
    } catch (error) {
      const what = error instanceof PacketError ? 'a packet that breaks the rules' : (error as Error).message;
      crowd.fail(`the broker sent ${what}`);
      this.close();
    }
  }

  private onPacket(first: number, bytes: Buffer, start: number, end: number): void {
    switch (first >> 4) {
      case packetTypes.publish:
        return this.onPublish(first, bytes, start, end);
      case packetTypes.puback:
      case packetTypes.pubcomp:
        return this.onTaken(bytes, start, end);
      case packetTypes.pubrec:
        if (end - start > 2 && bytes[start + 2]! >= 0x80) return this.onTaken(bytes, start, end);
        return this.acknowledge(acks.pubrel, bytes, start);
      case packetTypes.pubrel:
        return this.acknowledge(acks.pubcomp, bytes, start);
      case packetTypes.connack:
        return this.onConnack(first, bytes, start, end);
      case packetTypes.suback:
        return this.onSuback(first, bytes, start, end);
      case packetTypes.pingresp:
        return this.crowd.onPong();
      default:
        return this.onOther(first, bytes, start, end);
    }
  }

  private onPublish(first: number, bytes: Buffer, start: number, end: number): void {
    const { crowd } = this;
    const qos = (first >> 1) & 3;
    const behindTopic = start + 2 + ((bytes[start]! << 8) | bytes[start + 1]!);
    const payload = end - crowd.size;
    if (qos > 0) this.acknowledge(qos === 1 ? acks.puback : acks.pubrec, bytes, behindTopic);
    const isOurs = payload >= behindTopic + (qos > 0 ? 2 : 0) && numberIn(bytes, payload + runAt) === crowd.run;
    if (!isOurs) return crowd.onForeign();
    if (bytes[end - 1] !== this.lastByte && crowd.size > stampBytes) crowd.fail('a payload came changed');
    this.received++;
    const time = crowd.isTimed ? numberIn(bytes, payload + timeAt) : 0;
    crowd.onDelivery(this, numberIn(bytes, payload + publisherAt), numberIn(bytes, payload + numberAt), time);
  }

  private acknowledge(first: number, bytes: Buffer, packetIdAt: number): void {
    const at = this.room(4);
    writeAck(this.out, at, first, (bytes[packetIdAt]! << 8) | bytes[packetIdAt + 1]!, 0);
  }

  private onTaken(bytes: Buffer, start: number, end: number): void {
    const code = end - start > 2 ? bytes[start + 2]! : 0;
    if (code >= 0x80) this.crowd.fail(`a message was refused: ${reasonName(code)}`);
    this.publisher?.taken();
  }

  private onConnack(first: number, bytes: Buffer, start: number, end: number): void {
    const { version } = this.crowd;
    const { reasonCode, sessionPresent, properties } = readConnack(bytes, first, start, end, version);
    if (reasonCode !== 0) {
      const name = version === 5 ? reasonName(reasonCode) : returnCodeName(reasonCode);
      this.crowd.fail(`a connection was refused (${reasonCode}, ${name})`);
      return this.close();
    }
    this.sessionPresent = sessionPresent;
    this.receiveMaximum = properties.receiveMaximum ?? 65_535;
    this.isReady = true;
    this.crowd.onReady(this);
  }

  private onSuback(first: number, bytes: Buffer, start: number, end: number): void {
    const { reasonCodes } = readSuback('suback', bytes, first, start, end, this.crowd.version);
    const refused = reasonCodes.find(code => code >= 0x80);
    if (refused !== undefined) {
      this.crowd.fail(`a subscription was refused (${refused}, ${reasonName(refused)}): may this user read there?`);
    }
    this.crowd.onSubscribed(this);
  }

  private onOther(first: number, bytes: Buffer, start: number, end: number): void {
    const isDisconnect = first >> 4 === packetTypes.disconnect;
    const code = end > start ? bytes[start]! : 0;
    this.crowd.fail(
      isDisconnect
        ? `the broker disconnected (${code}, ${reasonName(code)})`
        : `the broker sent packet type ${first >> 4}`,
    );
  }
}
