/**
 * Connection is one MQTT conversation on a link: it cuts bytes into packets and hands each to the part that knows it.
 *
 *   awaiting CONNECT ──> connecting ──> open ──> closed        (any state may go to closed)
 *                         │  waits for the authenticator, then for AUTH if there is more to say
 *                         └─ packets behind CONNECT stay unread until the CONNACK is out
 *
 * What a packet does lives in publish.ts, exchanges.ts, subscribe.ts and connect/; what is remembered, in the session.
 */
import type { About } from '../base/mod.ts';
import { Timed, Timer } from '../base/mod.ts';
import { aboutConnection, aboutPeer } from './about.ts';
import {
  checkPing,
  type FrameLimits,
  type FrameReader,
  frameStatus,
  LARGEST_PACKET_BYTES,
  PacketError,
  packetTypes,
  PINGRESP,
  protocolError,
  type ProtocolVersion,
  readAck,
  readAuth,
  readConnect,
  readDisconnect,
  readSubscribe,
  readUnsubscribe,
  reasonCodes,
} from '../codec/mod.ts';
import { IncomingAliases, NEVER, type OutgoingAliases } from '../session/mod.ts';
import { mustWaitForRules } from './asking.ts';
import { onAuth, type PendingAuth } from './auth.ts';
import type { Broker } from './broker.ts';
import { endAtDeadline, handleConfined } from './confined.ts';
import type { ConnectAttempt } from './connect/attempt.ts';
import { beginConnect, refuseUnreadable } from './connect/connect.ts';
import { explainSilence, looksLikeTls } from './connect/first-bytes.ts';
import { pump } from './deliver.ts';
import { endConnection, type Ending, endingOf } from './endings.ts';
import { onPuback, onPubcomp, onPubrec } from './exchanges.ts';
import type { EnhancedAuthentication, Identity, Link, LinkEnd, LinkHandler, Peer, ServicePass } from './ports.ts';
import { onPublish, onPubrel } from './publish.ts';
import type { Pace } from './pace.ts';
import { NOTHING_TO_READ } from './readers.ts';
import type { RetainedBacklog } from './retained.ts';
import { onSubscribe, onUnsubscribe } from './subscribe.ts';
import type { TopicEntry } from './topic-cache.ts';
import type { BrokerSession } from './types.ts';

/** Answers that may wait for the store; beyond it the client's requests are not read until half of them are out. */
const ANSWERS_WAITING_MAX = 5000;

/** What is kept of the CONNECT packet. */
export interface Credentials {
  readonly username: string | null;
  readonly password: Buffer | null;
  readonly authenticationMethod: string | null;
}

export const NO_CREDENTIALS: Credentials = { username: null, password: null, authenticationMethod: null };

const NO_ALIASES = new IncomingAliases<TopicEntry>(0);
const NO_BACKLOG: RetainedBacklog[] = [];

export class Connection extends Timed implements LinkHandler {
  readonly broker: Broker;
  readonly link: Link;
  readonly peer: Peer;
  /** One of the broker's while there are bytes to read; see readers.ts. */
  reader: FrameReader = NOTHING_TO_READ;
  /** As they were told to the client. */
  readonly frameLimits: FrameLimits;
  state: 'awaiting-connect' | 'connecting' | 'open' | 'closed' = 'awaiting-connect';
  /** True while a packet behind CONNECT must not be read yet. */
  waiting = false;
  version: ProtocolVersion = 4;
  bridge = false;
  /** For log lines: the address until the client has said its name. */
  clientId: string;
  identity!: Identity;
  session: BrokerSession | null = null;
  attempt: ConnectAttempt | null = null;
  /** What is asked again after a reload, and at each AUTH. */
  credentials: Credentials = NO_CREDENTIALS;
  /** Null for an ordinary client; otherwise it may only ask services. */
  pass: ServicePass | null = null;
  enhanced: EnhancedAuthentication | null = null;
  pendingAuth: PendingAuth | null = null;
  reauthenticating = false;
  /** True when a reload has put it out. */
  cutOff = false;
  /** Seconds without a packet after which the client counts as gone; 0 for never. */
  timeoutSeconds = 0;
  lastPacketAt: number;
  /** Unix second at which it was accepted. */
  readonly openedAt: number;
  bytesSeen = 0;

  /** True when the packet at hand has waited for the access rules already: none waits twice. */
  rulesAsked = false;

  /** QoS 1 and 2 messages we may have in flight: the client's receive maximum or our own. */
  sendQuota = 0;
  /** What the client can take, in whole bytes. */
  maximumPacketSize = LARGEST_PACKET_BYTES;
  /** QoS 2 messages it may have open towards us, as the CONNACK said; 0 for no limit. */
  receiveMaximum = 0;
  incomingAliases: IncomingAliases<TopicEntry> = NO_ALIASES;
  outgoingAliases: OutgoingAliases | null = null;
  /** Null when the listener has none. */
  mountPoint: Buffer | null = null;
  /** True when plain QoS 0 packets need nothing that is this client's alone. */
  takesSharedForms = true;
  retainedBacklog: RetainedBacklog[] = NO_BACKLOG;
  /** The topic published to last and whether it may be, as of generation `writableAsked` of the access rules. */
  lastTopic: TopicEntry | null = null;
  writable = false;
  writableAsked = -1;
  /** Answers that wait for the store. */
  answersWaiting = 0;
  /** True while what was in flight before this connection waits for the store. */
  resuming = false;
  /** Where the small packet reserved by small() starts. */
  smallStart = 0;
  private pausedBySlowness = false;
  private pausedForStore = false;
  /** How fast it publishes; null until that is of interest. */
  pace: Pace | null = null;
  /** Set while it has published faster than it may, and is not read. Made when first needed: 10,000 idle ones never do. */
  private paceTimer: Timer | null = null;

  constructor(broker: Broker, link: Link, peer: Peer) {
    super();
    this.broker = broker;
    this.link = link;
    this.peer = peer;
    this.clientId = peer.address;
    this.frameLimits = broker.frameLimits;
    this.lastPacketAt = broker.now;
    this.openedAt = broker.unixSecond;
  }

  get closed(): boolean {
    return this.state === 'closed';
  }

  onBytes(chunk: Buffer): void {
    if (this.closed) return;
    const { broker } = this;
    const { store } = broker;
    broker.meter.bytesReceived += chunk.length;
    this.bytesSeen += chunk.length;
    broker.lookAtTheClock();
    const changesBefore = store.changes;
    if (this.reader === NOTHING_TO_READ) this.reader = broker.readers.lend(this.frameLimits);
    this.reader.push(chunk);
    this.readPackets();
    if (this.closed) return;
    if (this.link.pendingBytes > this.broker.settings.maxLinkBufferBytes) this.waitForSlowPeer();
    if (this.answersWaiting > ANSWERS_WAITING_MAX) this.waitForStore();
    else if (store.overloaded && store.changes !== changesBefore) this.waitForDisk();
  }

  /** Reads what has arrived, until it is used up or the connection has to wait or has ended. */
  readPackets(): void {
    try {
      while (!this.waiting && !this.closed && !this.isPaced) {
        // A stream that is not MQTT shows in its first byte; its "length" is not worth waiting for.
        if (this.state === 'awaiting-connect') this.checkFirstByte();
        const status = this.reader.next();
        if (status === frameStatus.wait) return this.giveReaderBack();
        if (status !== frameStatus.packet) throw this.frameError(status);
        this.broker.meter.packetsReceived++;
        this.lastPacketAt = this.broker.now;
        this.onPacket();
      }
    } catch (error) {
      this.fail(error);
    }
  }

  onDrain(): void {
    if (this.closed) return;
    this.broker.lookAtTheClock();
    if (this.pausedBySlowness) {
      this.pausedBySlowness = false;
      this.resumeReading();
    }
    if (this.state !== 'open') return;
    try {
      pump(this.broker, this);
    } catch (error) {
      this.fail(error);
    }
  }

  onClose(end: LinkEnd): void {
    if (this.closed) return;
    this.broker.lookAtTheClock();
    const reason = end.by === 'error' ? (end.text ?? 'Protocol error') : 'connection closed by client';
    const ending: Ending = { reason, disconnectCode: null, will: 'publish' };
    if (this.state === 'awaiting-connect' && this.peer.refusal === null) {
      Object.assign(ending, explainSilence(this, 'closed'));
    }
    try {
      endConnection(this.broker, this, ending);
    } catch (error) {
      this.broker.logFault(`at the end of ${this.clientId}`, error);
    }
  }

  /** Sends a packet that was encoded on its own. One that the client cannot take ends the connection. [MQTT-3.1.2-24] */
  send(packet: Buffer): void {
    if (packet.length > this.maximumPacketSize) throw new PacketError(reasonCodes.packetTooLarge);
    this.sendLast(packet);
  }

  /** As send, whatever the client can take: for the last packet of a connection. */
  sendLast(packet: Buffer): void {
    this.broker.meter.packetsSent++;
    this.broker.meter.bytesSent += packet.length;
    this.link.write(packet, 0, packet.length);
  }

  /** Reserves a few bytes of the arena for small packets and returns where they lie; see writeSmall. */
  small(bytes: number): Buffer {
    const arena = this.broker.smallPackets;
    this.smallStart = arena.reserve(bytes);
    return arena.slab;
  }

  /** Sends what was written at smallStart up to `end`. Acks have an arena of their own, so that runs of them merge. */
  writeSmall(end: number): void {
    const arena = this.broker.smallPackets;
    arena.position = end;
    this.broker.meter.packetsSent++;
    this.broker.meter.bytesSent += end - this.smallStart;
    this.link.write(arena.slab, this.smallStart, end);
  }

  /** Ends the connection because of something it did; our own mistakes end only this connection, too. */
  fail(error: unknown): void {
    if (!(error instanceof PacketError)) return this.failInternally(error);
    this.broker.meter.protocolErrors++;
    if (this.state === 'open') {
      if (error.text !== '') this.logProtocolError(error.text);
      endConnection(this.broker, this, endingOf(error));
    } else refuseUnreadable(this, error);
  }

  logProtocolError(text: string): void {
    const who = this.session === null ? `${this.peer.address}:${this.peer.port}` : this.clientId;
    const own = text.replace('%c', () => who).replace('%a', () => this.peer.address);
    this.broker.log.write('information', own === text ? `Protocol error from ${who}: ${text}` : own, this.about());
  }

  /** Of a line about something it did wrong. */
  private about(): About {
    const isClient = this.session !== null;
    return isClient ? aboutConnection('client.protocol-error', this) : aboutPeer('connection.bad-packet', this.peer);
  }

  onEnded(): void {
    this.retainedBacklog = NO_BACKLOG;
    this.attempt = null;
    if (this.paceTimer !== null) this.broker.timers.cancel(this.paceTimer);
  }

  addBacklog(): RetainedBacklog[] {
    if (this.retainedBacklog === NO_BACKLOG) this.retainedBacklog = [];
    return this.retainedBacklog;
  }

  private giveReaderBack(): void {
    if (this.reader === NOTHING_TO_READ || !this.reader.isEmpty) return;
    this.broker.readers.takeBack(this.reader);
    this.reader = NOTHING_TO_READ;
  }

  private failInternally(error: unknown): void {
    this.broker.logFault(`while serving ${this.clientId}; only this client is cut off`, error);
    endConnection(this.broker, this, {
      reason: 'implementation specific error',
      disconnectCode: reasonCodes.implementationSpecificError,
      will: 'publish',
    });
  }

  /** The peer does not read what it asked for: we do not read what else it asks for until it does. */
  private waitForSlowPeer(): void {
    if (!this.link.blocked) this.link.flush();
    if (!this.link.blocked || this.pausedBySlowness) return;
    this.pausedBySlowness = true;
    this.broker.meter.slowLinksPaused++;
    const bytes = this.link.pendingBytes;
    const text = `Client ${this.clientId} does not read what it asked for (${bytes} bytes wait); its requests are not read until it does.`;
    this.broker.log.write('notice', text, aboutConnection('client.too-slow', this));
    this.link.pause();
  }

  /** A disk that does not keep up must not fill the memory with promises to whoever sends fastest. */
  private waitForStore(): void {
    this.pausedForStore = true;
    this.link.pause();
  }

  /** Whoever gave the disk more to do, when it has too much already, goes on when it has done that. */
  private waitForDisk(): void {
    this.waitForStore();
    this.answersWaiting++;
    this.broker.store.onSettled(() => this.storeAnswered());
  }

  waitForPace(milliseconds: number): void {
    this.broker.meter.publishersSlowed++;
    this.paceTimer ??= new Timer(() => this.goOnAfterPace());
    this.broker.timers.set(this.paceTimer, this.broker.now + milliseconds);
    this.link.pause();
  }

  /** Puts the packet at hand back and reads on, with it first, once the access rules can answer about it. */
  waitForRules(answers: Promise<unknown>): void {
    this.reader.putBack();
    this.broker.meter.packetsReceived--;
    this.waiting = true;
    this.rulesAsked = true;
    this.link.pause();
    void answers.then(() => {
      if (this.closed) return;
      this.broker.lookAtTheClock();
      this.waiting = false;
      this.resumeReading();
      this.readPackets();
    });
  }

  private get isPaced(): boolean {
    return this.paceTimer !== null && this.paceTimer.isSet;
  }

  private goOnAfterPace(): void {
    this.resumeReading();
    this.readPackets();
  }

  /** The store has answered for one of those that waited. */
  storeAnswered(): void {
    this.answersWaiting--;
    const mostWait = this.broker.store.overloaded ? 0 : ANSWERS_WAITING_MAX / 2;
    if (!this.pausedForStore || this.answersWaiting > mostWait) return;
    this.pausedForStore = false;
    this.resumeReading();
  }

  /** Reads on, unless there is another reason not to. */
  resumeReading(): void {
    if (this.closed || this.waiting || this.isPaced) return;
    if (!this.pausedBySlowness && !this.pausedForStore) this.link.resume();
  }

  private frameError(status: number): PacketError {
    if (status === frameStatus.malformedLength) {
      return new PacketError(reasonCodes.malformedPacket, '', { kind: 'close' });
    }
    this.broker.meter.oversizePackets++;
    const type = this.reader.pendingFirst >> 4;
    // Only max_packet_size is told; the caps of other packets close the link (docs/compat/packets.md, 4).
    const told = type === packetTypes.publish;
    return new PacketError(reasonCodes.packetTooLarge, '', { kind: told ? 'disconnect' : 'close' });
  }

  private onPacket(): void {
    const { first } = this.reader;
    if (this.state === 'open') return this.onOpenPacket(first, first >> 4);
    if (this.state === 'connecting') return this.onConnectingPacket(first);
    this.broker.meter.connectsReceived++;
    const { bytes, start, end } = this.reader;
    beginConnect(this, readConnect(bytes, first, start, end, this.peer.listener.acceptProtocolVersions));
  }

  /** [MQTT-3.1.0-1] */
  private checkFirstByte(): void {
    const { unread } = this.reader;
    if (unread.length === 0 || (unread[0]! >> 4 === packetTypes.connect && !looksLikeTls(unread))) return;
    throw new PacketError(reasonCodes.protocolError, notConnect(unread[0]!), { kind: 'close' });
  }

  /** Between CONNECT and CONNACK only AUTH has a place (MQTT 5, 4.12). */
  private onConnectingPacket(first: number): void {
    const { bytes, start, end } = this.reader;
    if (first >> 4 !== packetTypes.auth) throw protocolError();
    onAuth(this, readAuth(bytes, first, start, end));
  }

  private onOpenPacket(first: number, type: number): void {
    const { broker, version } = this;
    const { bytes, start, end } = this.reader;
    if (this.pass !== null && handleConfined(this, this.pass, first)) return;
    if (broker.access.asks === true && mustWaitForRules(broker, this, first, start, end)) return;
    switch (type) {
      case packetTypes.publish:
        return onPublish(broker, this, first, start, end);
      case packetTypes.puback:
        return onPuback(broker, this, readAck('puback', bytes, first, start, end, version));
      case packetTypes.pubrec:
        return onPubrec(broker, this, readAck('pubrec', bytes, first, start, end, version));
      case packetTypes.pubrel:
        return onPubrel(broker, this, readAck('pubrel', bytes, first, start, end, version));
      case packetTypes.pubcomp:
        return onPubcomp(broker, this, readAck('pubcomp', bytes, first, start, end, version));
      case packetTypes.subscribe:
        return onSubscribe(broker, this, readSubscribe(bytes, first, start, end, version));
      case packetTypes.unsubscribe:
        return onUnsubscribe(broker, this, readUnsubscribe(bytes, first, start, end, version));
      case packetTypes.pingreq:
        return this.onPing(first, start, end);
      case packetTypes.disconnect:
        return this.onDisconnect();
      case packetTypes.auth:
        if (version !== 5) throw protocolError('AUTH packet when session not MQTT v5.0.');
        return onAuth(this, readAuth(bytes, first, start, end));
      case packetTypes.connect:
        return this.onSecondConnect();
      default:
        throw protocolError(unexpected[type] ?? 'RESERVED packet.');
    }
  }

  private onPing(first: number, start: number, end: number): void {
    checkPing(first, start, end, this.version);
    const { log } = this.broker;
    if (log.debug) log.write('debug', `Received PINGREQ from ${this.clientId}`);
    const out = this.small(2);
    out[this.smallStart] = PINGRESP[0]!;
    out[this.smallStart + 1] = 0;
    this.writeSmall(this.smallStart + 2);
    if (log.debug) log.write('debug', `Sending PINGRESP to ${this.clientId}`);
  }

  /** [MQTT-3.14.4-3]: after a normal DISCONNECT the will is never published; every other code keeps it. */
  private onDisconnect(): void {
    const { bytes, first, start, end } = this.reader;
    const { reasonCode, properties } = readDisconnect(bytes, first, start, end, this.version);
    if (this.broker.log.debug) this.broker.log.write('debug', `Received DISCONNECT from ${this.clientId}`);
    const expiry = properties.sessionExpiryInterval;
    if (expiry !== undefined) this.changeExpiry(expiry);
    const will = reasonCode === reasonCodes.success ? 'discard' : 'publish';
    endConnection(this.broker, this, { reason: null, disconnectCode: null, will });
  }

  private changeExpiry(seconds: number): void {
    const session = this.session!;
    if (session.expiryInterval === 0 && seconds !== 0) {
      throw protocolError(`DISCONNECT packet with mismatched session-expiry-interval (0:${seconds}).`); // 3.14.2.2.2
    }
    const cap = this.broker.settings.persistentClientExpirationSeconds;
    session.expiryInterval = Math.min(seconds, cap ?? NEVER);
  }

  /** [MQTT-3.1.0-2] */
  private onSecondConnect(): void {
    const { address, port } = this.peer;
    this.broker.log.write(
      'information',
      `Bad client ${address}:${port} sending multiple CONNECT messages.`,
      this.about(),
    );
    throw new PacketError(reasonCodes.protocolError, '', { kind: 'close' });
  }

  /** The CONNECT timeout is over, later on the keep alive. */
  override fire(): void {
    const { broker } = this;
    broker.lookAtTheClock();
    if (this.state !== 'open') return this.onConnectTimeout();
    if (this.pass !== null) return endAtDeadline(this, this.pass);
    // Whom we do not read, we cannot call silent.
    if (this.pausedForStore || this.isPaced || this.waiting) this.lastPacketAt = broker.now;
    const due = this.lastPacketAt + this.timeoutSeconds * 1000;
    if (broker.now < due) return broker.timers.set(this, due);
    broker.meter.keepAliveTimeouts++;
    // [MQTT-3.1.2-22]; Mosquitto sends no DISCONNECT here (docs/compat/packets.md, 3)
    endConnection(broker, this, { reason: 'exceeded timeout', disconnectCode: null, will: 'publish' });
  }

  private onConnectTimeout(): void {
    this.broker.meter.connectTimeouts++;
    const ending: Ending = { reason: 'exceeded timeout', disconnectCode: null, will: 'discard' };
    if (this.peer.refusal !== null) ending.reason = 'not authorised';
    else Object.assign(ending, explainSilence(this, 'timeout'));
    endConnection(this.broker, this, ending);
  }
}

function notConnect(first: number): string {
  return `First packet not CONNECT (${first.toString(16).toUpperCase().padStart(2, '0')}).`;
}

/** Packets that only a server sends. */
const unexpected: Readonly<Record<number, string>> = {
  [packetTypes.connack]: 'CONNACK when not a bridge.',
  [packetTypes.suback]: 'SUBACK when not a bridge.',
  [packetTypes.unsuback]: 'UNSUBACK when not a bridge.',
  [packetTypes.pingresp]: 'PINGRESP when not a bridge.',
};
