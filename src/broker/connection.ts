/**
 * Connection is one MQTT conversation on a link: it cuts bytes into packets and hands each to the part that knows it.
 *
 *   awaiting CONNECT ──> connecting ──> open ──> closed        (any state may go to closed)
 *                         │  waits for the authenticator, then for AUTH if there is more to say
 *                         └─ packets behind CONNECT stay unread until the CONNACK is out
 *
 * Which packet goes where stands in packets.ts, when a client is not read in reading.ts; what a packet does, in
 * publish.ts, exchanges.ts, subscribe.ts and connect/; what is remembered, in the session.
 */
import type { About } from '../base/mod.ts';
import { Timed, type Timer } from '../base/mod.ts';
import { aboutConnection, aboutPeer } from './about.ts';
import {
  type FrameLimits,
  type FrameReader,
  frameStatus,
  LARGEST_PACKET_BYTES,
  PacketError,
  type ProtocolVersion,
  reasonCodes,
} from '../codec/mod.ts';
import { IncomingAliases, type OutgoingAliases } from '../session/mod.ts';
import type { PendingAuth } from './auth.ts';
import type { Broker } from './broker.ts';
import { endAtDeadline } from './confined.ts';
import type { ConnectAttempt } from './connect/attempt.ts';
import { refuseUnreadable } from './connect/connect.ts';
import { explainSilence } from './connect/first-bytes.ts';
import { pump } from './deliver.ts';
import { endConnection, type Ending, endingOf } from './endings.ts';
import type { Pace } from './pace.ts';
import { checkFirstByte, frameError, onPacket } from './packets.ts';
import type { EnhancedAuthentication, Identity, Link, LinkEnd, LinkHandler, Peer, ServicePass } from './ports.ts';
import { NOTHING_TO_READ } from './readers.ts';
import { isPaced, peerReads, stopReadingIfNeeded } from './reading.ts';
import type { RetainedBacklog } from './retained.ts';
import type { TopicEntry } from './topic-cache.ts';
import type { BrokerSession } from './types.ts';

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
  /** Why it is not read, beside `waiting` and `paceTimer`; see reading.ts. */
  pausedBySlowness = false;
  pausedForStore = false;
  /** How fast it publishes; null until that is of interest. */
  pace: Pace | null = null;
  /** Set while it has published faster than it may, and is not read. Made when first needed: 10,000 idle ones never do. */
  paceTimer: Timer | null = null;

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
    this.reader.keepUnread();
    stopReadingIfNeeded(this, changesBefore);
  }

  /** Reads what has arrived, until it is used up or the connection has to wait or has ended. */
  readPackets(): void {
    try {
      while (!this.waiting && !this.closed && !isPaced(this)) {
        // A stream that is not MQTT shows in its first byte; its "length" is not worth waiting for.
        if (this.state === 'awaiting-connect') checkFirstByte(this.reader);
        const status = this.reader.next();
        if (status === frameStatus.wait) return this.giveReaderBack();
        if (status !== frameStatus.packet) throw frameError(this, status);
        this.broker.meter.packetsReceived++;
        this.lastPacketAt = this.broker.now;
        onPacket(this);
      }
    } catch (error) {
      this.fail(error);
    }
  }

  onDrain(): void {
    if (this.closed) return;
    this.broker.lookAtTheClock();
    peerReads(this);
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
  about(): About {
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

  /** The CONNECT timeout is over, later on the keep alive. */
  override fire(): void {
    const { broker } = this;
    broker.lookAtTheClock();
    if (this.state !== 'open') return this.onConnectTimeout();
    if (this.pass !== null) return endAtDeadline(this, this.pass);
    // Whom we do not read, we cannot call silent.
    if (this.pausedForStore || isPaced(this) || this.waiting) this.lastPacketAt = broker.now;
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
