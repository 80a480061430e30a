/**
 * One MQTT conversation on one wire: packets in and out, no memory of what was before.
 *
 *   wire bytes -> FrameReader -> codec -> owner.onConnack / onMessage / onAck / ...
 *   send...()  -> codec -> wire
 *
 * A packet that breaks the rules ends it: MQTT 5 says why in a DISCONNECT, then the wire is closed.
 */
import {
  ackNameOf,
  type Ack,
  type AckName,
  type Auth,
  checkPing,
  type Connack,
  type Connect,
  type Disconnect,
  encodeAck,
  encodeAuth,
  encodeConnect,
  encodeDisconnect,
  encodePublish,
  encodeSubscribe,
  encodeUnsubscribe,
  FrameReader,
  frameStatus,
  hasValidTopicText,
  NO_PROPERTIES,
  PacketError,
  packetTypes,
  PINGREQ,
  type ProtocolVersion,
  type PublishParts,
  PublishView,
  readAck,
  readAuth,
  readConnack,
  readDisconnect,
  readPublish,
  readSuback,
  type Suback,
  type Subscribe,
  type Unsubscribe,
  utf8Text,
} from '../codec/mod.ts';
import { ClientError } from './client-error.ts';
import { notMqtt } from './first-bytes.ts';
import { KeepAlive } from './keep-alive.ts';
import type { ConnectOptions, Message } from './options.ts';
import { publishProperties } from './properties.ts';
import type { Trace } from './trace.ts';
import type { Wire } from './wire.ts';

export interface ConnectionOwner {
  readonly options: ConnectOptions;
  onConnack(packet: Connack): void;
  onMessage(message: Message): void;
  onAck(name: AckName, ack: Ack): void;
  onSuback(packet: Suback): void;
  onAuth(packet: Auth): void;
  onDrain(): void;
  /** Null: we closed, and nothing went wrong. */
  onClosed(error: ClientError | null): void;
}

const noLimits = new Array<number>(16).fill(0);
export class Connection {
  private readonly wire: Wire;
  private readonly owner: ConnectionOwner;
  private readonly version: ProtocolVersion;
  private readonly trace: Trace | null;
  private readonly place: string;
  private readonly frames: FrameReader;
  private readonly view = new PublishView();
  private readonly incomingAliases = new Map<number, string>();
  private keepAlive: KeepAlive | null = null;
  private connackTimer: NodeJS.Timeout | undefined;
  private accepted = false;
  private closing = false;
  private error: ClientError | null = null;

  constructor(wire: Wire, owner: ConnectionOwner, version: ProtocolVersion, place: string, trace: Trace | null) {
    this.wire = wire;
    this.owner = owner;
    this.version = version;
    this.place = place;
    this.trace = trace;
    this.frames = new FrameReader(noLimits);
    wire.handler = {
      onBytes: chunk => this.onBytes(chunk),
      onDrain: () => owner.onDrain(),
      onClosed: error => this.onWireClosed(error),
    };
  }

  /** Whether the kernel holds back what it was given. */
  get blocked(): boolean {
    return this.wire.blocked;
  }

  /** Sends CONNECT; the answer has to come within `limitMs`. */
  open(packet: Connect, limitMs: number): void {
    this.trace?.sending('CONNECT');
    this.connackTimer = setTimeout(() => this.fail(unanswered(this.place, limitMs)), limitMs);
    this.wire.write(encodeConnect(packet));
    this.wire.resume();
  }

  startKeepAlive(seconds: number): void {
    this.keepAlive = new KeepAlive(
      {
        sendPing: () => {
          this.trace?.sending('PINGREQ');
          this.send(PINGREQ);
        },
        peerIsSilent: () => this.fail(silent(this.place, seconds)),
      },
      seconds,
    );
  }

  sendPublish(parts: PublishParts, topic: string): void {
    if (this.trace !== null) {
      const { dup, qos, retain, packetId } = parts;
      this.trace.sendingPublish({ dup, qos, retain, packetId, topic, payloadBytes: parts.payload.length });
    }
    this.send(encodePublish(parts));
  }

  sendAck(name: AckName, packetId: number, reasonCode = 0): void {
    this.trace?.sendingAck(name, packetId, reasonCode);
    this.send(encodeAck(name, { packetId, reasonCode, properties: NO_PROPERTIES }, this.version));
  }

  sendSubscribe(packet: Subscribe): void {
    this.trace?.sendingSubscribe(packet);
    this.send(encodeSubscribe(packet, this.version));
  }

  sendUnsubscribe(packet: Unsubscribe): void {
    this.trace?.sendingUnsubscribe(packet);
    this.send(encodeUnsubscribe(packet, this.version));
  }

  sendAuth(packet: Auth): void {
    this.trace?.sending(`AUTH (rc${packet.reasonCode})`);
    this.send(encodeAuth(packet));
  }

  /** Ends the conversation in order. */
  disconnect(packet: Disconnect, onSent?: () => void): void {
    if (this.closing) return;
    this.trace?.sending('DISCONNECT');
    this.send(encodeDisconnect(packet, this.version));
    this.close(onSent);
  }

  /** Ends it without a word to the peer. */
  fail(error: ClientError): void {
    this.error ??= error;
    this.closing = true;
    this.stopTimers();
    this.wire.destroy();
  }

  private close(onSent?: () => void): void {
    this.closing = true;
    this.stopTimers();
    this.wire.end(onSent);
  }

  private stopTimers(): void {
    clearTimeout(this.connackTimer);
    this.keepAlive?.stop();
  }

  private send(bytes: Buffer): void {
    this.keepAlive?.sent();
    this.wire.write(bytes);
  }

  private onBytes(chunk: Buffer): void {
    if (this.closing) return;
    this.keepAlive?.received();
    if (!this.accepted) {
      const stranger = notMqtt(chunk, this.place);
      if (stranger !== null) return this.fail(stranger);
    }
    this.frames.push(chunk);
    try {
      this.readAll();
    } catch (error) {
      if (!(error instanceof PacketError)) throw error;
      this.breakOff(error);
    }
  }

  private readAll(): void {
    for (;;) {
      const status = this.frames.next();
      if (status === frameStatus.wait) return;
      if (status !== frameStatus.packet) throw new PacketError(0x81, 'its length is malformed');
      this.read();
      if (this.closing) return;
    }
  }

  private read(): void {
    const { bytes, first, start, end } = this.frames;
    const type = first >> 4;
    if (
      !this.accepted &&
      type !== packetTypes.connack &&
      type !== packetTypes.auth &&
      type !== packetTypes.disconnect
    ) {
      throw new PacketError(0x82, 'a packet came before CONNACK');
    }
    if (type === packetTypes.publish) return this.readPublish();
    const ackName = ackNameOf(type);
    if (ackName !== undefined) return this.readAck(ackName);
    if (type === packetTypes.suback) return this.readSuback('suback');
    if (type === packetTypes.unsuback) return this.readSuback('unsuback');
    if (type === packetTypes.pingresp) {
      checkPing(first, start, end, this.version);
      return this.trace?.received('PINGRESP');
    }
    if (type === packetTypes.connack) return this.readConnack();
    if (type === packetTypes.auth && this.version === 5) return this.owner.onAuth(readAuth(bytes, first, start, end));
    if (type === packetTypes.disconnect && this.version === 5) return this.readDisconnect();
    throw new PacketError(0x82, `packet type ${type} is not for clients`);
  }

  private readConnack(): void {
    const { bytes, first, start, end } = this.frames;
    if (this.accepted) throw new PacketError(0x82, 'a second CONNACK came');
    const packet = readConnack(bytes, first, start, end, this.version);
    clearTimeout(this.connackTimer);
    this.accepted = packet.reasonCode === 0;
    const assigned = packet.properties.assignedClientIdentifier;
    if (this.trace !== null && assigned !== undefined) this.trace.clientId = assigned;
    this.trace?.receivedConnack(packet);
    this.owner.onConnack(packet);
  }

  private readPublish(): void {
    const { bytes, first, start, end } = this.frames;
    const { view } = this;
    readPublish(view, bytes, first, start, end, this.version);
    if (!hasValidTopicText(view)) throw new PacketError(0x81, 'a topic is not UTF-8');
    const topic = this.topicOf(view);
    this.trace?.receivedPublish(view, topic);
    this.owner.onMessage({
      topic,
      payload: view.bytes.subarray(view.payloadStart, view.payloadEnd),
      qos: view.qos,
      retain: view.retain,
      dup: view.dup,
      packetId: view.packetId,
      properties: publishProperties(view),
      subscriptionIdentifiers: view.subscriptionIdentifiers,
    });
  }

  private topicOf(view: PublishView): string {
    const written = utf8Text(view.bytes, view.topicStart, view.topicEnd);
    if (view.topicAlias === 0) {
      if (written === '') throw new PacketError(0x82, 'a message without topic');
      return written;
    }
    if (written !== '') {
      this.incomingAliases.set(view.topicAlias, written);
      return written;
    }
    const known = this.incomingAliases.get(view.topicAlias);
    if (known === undefined) throw new PacketError(0x82, `topic alias ${view.topicAlias} was never given a topic`);
    return known;
  }

  private readAck(name: AckName): void {
    const { bytes, first, start, end } = this.frames;
    const ack = readAck(name, bytes, first, start, end, this.version);
    this.trace?.receivedAck(name, ack);
    this.owner.onAck(name, ack);
  }

  private readSuback(name: 'suback' | 'unsuback'): void {
    const { bytes, first, start, end } = this.frames;
    const packet = readSuback(name, bytes, first, start, end, this.version);
    this.trace?.received(name.toUpperCase());
    this.owner.onSuback(packet);
  }

  private readDisconnect(): void {
    const { bytes, first, start, end } = this.frames;
    const { reasonCode, properties } = readDisconnect(bytes, first, start, end, this.version);
    this.trace?.receivedDisconnect(reasonCode);
    const { reasonString, serverReference } = properties;
    this.error ??= new ClientError({
      code: 'mqtt.disconnected',
      kind: 'disconnected',
      message: `${this.place} ended the connection with reason code ${reasonCode}${reasonString === undefined ? '' : `: ${reasonString}`}.`,
      remedy: serverReference === undefined ? [] : [`It names another server: ${serverReference}.`],
      reasonCode,
      ...(reasonString === undefined ? {} : { reasonString }),
    });
    this.close();
  }

  private breakOff(error: PacketError): void {
    this.error ??= new ClientError({
      code: 'mqtt.protocol',
      kind: 'protocol',
      message: `${this.place} broke the rules of MQTT${error.text === '' ? '' : `: ${error.text}`}.`,
      remedy: ['Is it an MQTT broker, and of this version of MQTT (-V)?'],
      reasonCode: error.reasonCode,
    });
    if (this.version === 5 && this.accepted)
      this.disconnect({ reasonCode: error.reasonCode, properties: NO_PROPERTIES });
    else this.close();
  }

  private onWireClosed(error: Error | null): void {
    const ours = this.closing;
    this.closing = true;
    this.stopTimers();
    this.owner.onClosed(
      this.error ?? (ours ? null : lost(this.place, this.accepted, error, this.owner.options.tls !== undefined)),
    );
  }
}

const closedOnPlain = 'Does the port speak TLS? Then name its CA with --cafile.';
const closedOnTls =
  'TLS came about: is it an MQTT listener, does it speak WebSocket (--ws), or want a client certificate?';

function lost(place: string, accepted: boolean, error: Error | null, secure: boolean): ClientError {
  const { code: systemCode = '' } = (error ?? {}) as NodeJS.ErrnoException;
  return new ClientError({
    code: accepted ? 'mqtt.lost' : 'mqtt.closed-before-connack',
    kind: 'lost',
    message: `${place} closed the connection${accepted ? '' : ' before it answered'}${systemCode ? ` (${systemCode})` : ''}.`,
    remedy: accepted ? [] : [secure ? closedOnTls : closedOnPlain, 'The log of the broker says what it thought.'],
    systemCode,
  });
}

function silent(place: string, seconds: number): ClientError {
  return new ClientError({
    code: 'mqtt.keep-alive',
    kind: 'keep-alive',
    message: `${place} has not answered a PINGREQ for ${seconds} s.`,
  });
}

function unanswered(place: string, limitMs: number): ClientError {
  return new ClientError({
    code: 'connect.timeout',
    kind: 'timeout',
    message: `${place} accepted the connection but did not answer CONNECT within ${limitMs / 1000} s.`,
    remedy: ['Is it an MQTT broker?'],
  });
}
