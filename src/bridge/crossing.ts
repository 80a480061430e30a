/**
 * Crossing is one connection of a bridge: a conversation with its own broker, one with the other broker, and packets
 * that are handed from one to the other.
 *
 *   this broker                       bridge                        the other broker
 *   PUBLISH 7 local/a   ──────────> new name ──────────>  PUBLISH 7 remote/a
 *   PUBREC 7            <──────────────────────────────   PUBREC 7
 *   PUBREL 7            ──────────────────────────────>   PUBREL 7
 *   PUBCOMP 7           <──────────────────────────────   PUBCOMP 7
 *
 * The packet identifiers of one side are those of the other, in both directions. So nothing is acknowledged to one side
 * before the other has taken it, and there is nothing to remember: after a crash of either broker or of the link both
 * sessions go on where they were, and the exchange is completed exactly once. Only what the bridge does not pass on (a
 * loop, too large) it answers itself.
 */
import {
  type Ack,
  type AckName,
  type Connack,
  type Suback,
  packetLength,
  publishRemainingLength,
} from '../codec/mod.ts';
import {
  AliasBook,
  type ClientError,
  Connection,
  type ConnectionOwner,
  connectionRefused,
  connectPacket,
  explainAlert,
  type Message,
  rawProperties,
  type Wire,
} from '../client/mod.ts';
import type { HeldBack } from '../broker/ports.ts';
import type { Counters } from './counters.ts';
import { CrossingTraces } from './crossing-traces.ts';
import type { Target } from './target.ts';
import { LocalPair } from './local-pair.ts';
import { converse, endOfBridge, openHere, peerOf, refusedHere, subscribeHere } from './local-side.ts';
import { type EchoGuard, hasBeenAt, IDENTITY_PROPERTY, onward } from './passing.ts';
import { type BridgeNames, type BridgePlan, type BridgePorts, keepsLocally } from './plan.ts';
import { isChosen, type TopicMap } from './topic-map.ts';

/** Far away from those of messages, which are counted from 1 by either broker. */
const NOTIFICATION_ID = 65_535;
const FIRST_SUBSCRIBE_ID = 65_000;

const CONNECT_MS = 30_000;

export interface CrossingParts {
  plan: BridgePlan;
  names: BridgeNames;
  map: TopicMap;
  counters: Counters;
  echoes: EchoGuard;
  ports: BridgePorts;
  /** Where to, as whom, and with which of the features that a broker may lack. */
  target: Target;
  /** Both sides are open. */
  onUp: () => void;
  /** Once; null when we ended it. */
  onEnd: (error: ClientError | null) => void;
}

type Quality = 0 | 1 | 2;

export class Crossing {
  /** When the last message passed, in milliseconds of performance.now(). */
  lastMessageAt = performance.now();
  private readonly parts: CrossingParts;
  private readonly remoteWire: Wire;
  private readonly remote: Connection;
  private readonly pair = new LocalPair();
  private local: Connection | null = null;
  private localIsOpen = false;
  private ended = false;
  private endedByUs = false;
  private readonly aliases = new AliasBook();
  private readonly localAliases = new AliasBook();
  /** What came from the other broker before this one was ready for it. */
  private early: (() => void)[] = [];
  private notified = false;
  /** Exchanges of QoS 2 that the bridge completes itself, on either side. */
  private readonly ownHere = new Set<number>();
  private readonly ownThere = new Set<number>();
  /** Of QoS 2 here, and of QoS 1 there because the other broker has no more. */
  private readonly lowered = new Set<number>();
  private remoteId: string | null = null;
  private maximumQos: Quality = 2;
  private retains = true;
  private packetBytesMax = Infinity;
  private readonly traces: CrossingTraces;
  private readonly asked = new Map<number, string>();
  private nextSubscribeId = FIRST_SUBSCRIBE_ID;

  constructor(parts: CrossingParts, wire: Wire) {
    this.parts = parts;
    this.traces = new CrossingTraces(parts.plan.name, () => parts.ports.tracing());
    this.remoteWire = wire;
    const { options, version, place } = parts.target;
    const { log } = parts.ports;
    this.remote = new Connection(wire, this.remoteOwner(), version, place, null);
    log.write('debug', `Bridge ${parts.names.remoteClientId} sending CONNECT`);
    this.remote.open(connectPacket(options, version, parts.names.remoteClientId), CONNECT_MS);
  }

  /** Messages of QoS 1 and 2 that wait for the other broker are in the session; this is about the link alone. */
  get isUp(): boolean {
    return this.localIsOpen && !this.ended;
  }

  /** Ends it without DISCONNECT: the other broker publishes the will, which says that the bridge is down. */
  close(): void {
    if (this.ended) return;
    this.endedByUs = true;
    if (this.parts.target.version === 5 && this.localIsOpen) {
      this.remote.disconnect({ reasonCode: 0x04, properties: {} });
    } else this.remoteWire.end();
    this.end(null);
  }

  private end(error: ClientError | null): void {
    if (this.ended) return;
    this.ended = true;
    this.traces.lost();
    this.early = [];
    this.local?.fail(error ?? endOfBridge());
    if (error !== null && !this.endedByUs) this.remote.fail(error);
    this.parts.onEnd(this.endedByUs ? null : error);
  }

  // The other broker

  private remoteOwner(): ConnectionOwner {
    return {
      options: this.parts.target.options,
      onConnack: packet => this.onRemoteConnack(packet),
      onMessage: message => this.whenOpen(() => this.inward(message)),
      onAck: (name, ack) => this.whenOpen(() => this.onRemoteAck(name, ack)),
      onSuback: packet => this.onRemoteSuback(packet),
      onAuth: () => undefined,
      onDrain: () => this.pair.hold(false),
      onClosed: error => this.onRemoteClosed(error ?? endOfBridge()),
    };
  }

  /** The reason of a TLS server may come after its handshake. */
  private onRemoteClosed(error: ClientError): void {
    void explainAlert(this.parts.target.options, error).then(explained => this.end(explained));
  }

  private onRemoteConnack(packet: Connack): void {
    const { plan, names, target, ports } = this.parts;
    ports.log.write('debug', `Received CONNACK on connection ${names.localClientId}.`);
    if (packet.reasonCode !== 0) {
      return this.remote.fail(connectionRefused(packet, target.version, target.place, target.options.tls));
    }
    const { properties } = packet;
    this.remoteId = properties.userProperties?.find(([name]) => name === IDENTITY_PROPERTY)?.[1] ?? null;
    this.maximumQos = Math.min(properties.maximumQos ?? 2, target.maximumQos) as Quality;
    this.retains = plan.outgoingRetain && target.retains && properties.retainAvailable !== 0;
    this.packetBytesMax = Math.min(plan.maxPacketSizeBytes || Infinity, properties.maximumPacketSize ?? Infinity);
    this.aliases.begin(Math.min(plan.maxTopicAlias, properties.topicAliasMaximum ?? 0));
    this.remote.startKeepAlive(properties.serverKeepAlive ?? plan.keepaliveSeconds);
    this.askForTopics(properties.subscriptionIdentifierAvailable !== 0);
    this.notify();
    // MQTT 3.1 does not say whether there was a session.
    const forgotten = target.version !== 3 && !packet.sessionPresent;
    this.openLocal(properties.receiveMaximum ?? 65_535, forgotten);
  }

  /** A packet for each filter: some brokers take no more than a few in one. */
  private askForTopics(withIdentifiers: boolean): void {
    const { plan, map, names, target, ports } = this.parts;
    const v5 = target.version === 5;
    map.incoming.forEach(({ filter, qos }, i) => {
      const packetId = this.ask(filter);
      const topicFilter = filter;
      const item = { topicFilter, qos: Math.min(qos, this.maximumQos) as Quality, noLocal: v5, retainAsPublished: v5, retainHandling: 0 as const }; // prettier-ignore
      const properties = v5 && withIdentifiers ? { subscriptionIdentifier: i + 1 } : {};
      this.remote.sendSubscribe({ packetId, properties, items: [item] });
      const line = `Bridge ${names.localClientId} sending SUBSCRIBE (Mid: ${packetId}, Topic: ${filter}, QoS: ${qos})`;
      ports.log.write('debug', line);
    });
    if (!plan.attemptUnsubscribe || target.options.cleanStart === true) return;
    for (const filter of map.onlyOut) {
      this.remote.sendUnsubscribe({ packetId: this.ask(null), properties: {}, topicFilters: [filter] });
    }
  }

  private ask(filter: string | null): number {
    const packetId = this.nextSubscribeId++;
    if (filter !== null) this.asked.set(packetId, filter);
    return packetId;
  }

  private onRemoteSuback({ packetId, reasonCodes }: Suback): void {
    const filter = this.asked.get(packetId);
    this.asked.delete(packetId);
    const { plan, target, ports } = this.parts;
    const code = reasonCodes[0] ?? 0;
    if (filter === undefined || code < 0x80) return;
    const text = `Warning: Bridge ${plan.name}: ${target.place} refused the subscription to ${filter} (reason code ${code}); nothing of it comes in.`;
    ports.log.write('warning', text, { code: 'bridge.remark', bridge: plan.name, topic: filter });
  }

  private notify(): void {
    const { plan, names } = this.parts;
    if (!plan.notifications || plan.notificationsLocalOnly) return;
    const qos = Math.min(1, this.maximumQos) as Quality;
    this.notified = qos > 0;
    this.sendThere(
      { topic: names.notificationTopic, payload: Buffer.from('1'), qos, retain: this.retains, packetId: NOTIFICATION_ID, rawProperties: Buffer.alloc(0), topicAlias: 0 }, // prettier-ignore
      false,
    );
  }

  private onRemoteAck(name: AckName, ack: Ack): void {
    const { packetId, reasonCode } = ack;
    this.traces.acknowledged(name, ack);
    if (name === 'pubrel') return this.releaseHere(packetId);
    if (this.notified && packetId === NOTIFICATION_ID && name === 'puback') {
      this.notified = false;
      return;
    }
    if (reasonCode >= 0x80 && name !== 'pubcomp') this.noteRefusal(reasonCode);
    if (name === 'puback' && this.lowered.delete(packetId)) {
      this.ownHere.add(packetId);
      return this.local!.sendAck('pubrec', packetId, reasonCode);
    }
    // A PUBCOMP for what the other broker does not know (any more) completes the exchange all the same.
    this.local!.sendAck(name, packetId, name === 'pubcomp' ? 0 : reasonCode);
  }

  private releaseHere(packetId: number): void {
    if (this.ownThere.delete(packetId)) this.remote.sendAck('pubcomp', packetId);
    else this.local!.sendAck('pubrel', packetId);
  }

  private noteRefusal(reasonCode: number): void {
    const { counters, plan, target, ports } = this.parts;
    if (counters.heldBack.refused++ > 0) return;
    const text = `Warning: Bridge ${plan.name}: ${target.place} refuses messages (reason code ${reasonCode}); 'zancudo bridges' counts them.`;
    ports.log.write('warning', text, { code: 'bridge.remark', bridge: plan.name });
  }

  /** A message from the other broker. */
  private inward(message: Message): void {
    const { map, counters, ports, target, echoes } = this.parts;
    this.lastMessageAt = performance.now();
    const { topic, payload, qos, retain, dup, packetId, properties } = message;
    const mapped = map.toLocal(topic);
    if (mapped === null) return this.settleThere(message, 'unmapped');
    if (!isChosen(map.incoming, topic, message.subscriptionIdentifiers)) return this.settleThere(message, null);
    const thatWay = `${ports.brokerId}/${this.parts.plan.name}`;
    if (hasBeenAt(properties, [ports.brokerId, thatWay])) return this.settleThere(message, 'loop');
    const comesBack = !dup && target.echoes && echoes.recognises(topic, payload, performance.now());
    if (comesBack) return this.settleThere(message, 'loop');
    // A broker that does not say who it is gets a name from us.
    const way = target.version === 5 ? [this.remoteId ?? thatWay] : [];
    const parts = this.localAliases.parts(
      { topic: mapped.topicName, payload, qos, retain, packetId, rawProperties: rawProperties(onward(properties, way)), topicAlias: 0 }, // prettier-ignore
      dup,
      5,
    );
    if (packetLength(publishRemainingLength(parts)) > ports.packetBytesMax()) {
      return this.settleThere(message, 'too-large');
    }
    if (!dup) counters.rules[mapped.rule]!.in++;
    this.local!.sendPublish(parts, mapped.topicName);
    if (this.pair.overfull) this.remoteWire.pause();
  }

  /** Does not pass; the other broker need not send it again. */
  private settleThere({ qos, packetId }: Message, cause: HeldBack | null): void {
    if (cause !== null) this.parts.counters.heldBack[cause]++;
    if (qos === 1) this.remote.sendAck('puback', packetId);
    if (qos !== 2) return;
    this.ownThere.add(packetId);
    this.remote.sendAck('pubrec', packetId);
  }

  private sendThere(publication: Parameters<AliasBook['parts']>[0], dup: boolean): boolean {
    const { version } = this.parts.target;
    const parts = this.aliases.parts(publication, dup, version);
    if (packetLength(publishRemainingLength(parts)) > this.packetBytesMax) return false;
    this.remote.sendPublish(parts, publication.topic);
    return true;
  }

  // This broker

  private openLocal(receiveMaximum: number, startsOver: boolean): void {
    const { names, plan, ports } = this.parts;
    const keeps = keepsLocally(plan);
    const inflightMax = ports.inflightMax() || 65_535;
    this.local = converse(this.pair, ports, peerOf(plan, startsOver), {
      options: {},
      onConnack: packet => this.onLocalConnack(packet),
      onMessage: message => this.outward(message),
      onAck: (name, ack) => this.onLocalAck(name, ack),
      onSuback: () => undefined,
      onAuth: () => undefined,
      onDrain: () => this.remoteWire.resume(),
      onClosed: error => this.end(error ?? endOfBridge()),
    });
    openHere(this.local, names, plan, keeps, Math.min(receiveMaximum, inflightMax));
  }

  private onLocalConnack(packet: Connack): void {
    const { map, names, ports } = this.parts;
    if (packet.reasonCode !== 0) return this.end(refusedHere(packet.reasonCode));
    subscribeHere(this.local!, map.outgoing, 0);
    for (const { filter } of map.outgoing) {
      ports.log.write('debug', `Bridge ${names.localClientId} doing local SUBSCRIBE on topic ${filter}`);
    }
    this.localIsOpen = true;
    const { early } = this;
    this.early = [];
    this.parts.onUp();
    for (const each of early) if (!this.ended) each();
  }

  private whenOpen(then: () => void): void {
    if (this.ended) return;
    if (this.localIsOpen) then();
    else this.early.push(then);
  }

  /** A message of this broker. */
  private outward(message: Message): void {
    const { map, counters, ports, target, echoes } = this.parts;
    this.lastMessageAt = performance.now();
    const { topic, payload, dup, packetId, properties } = message;
    const mapped = map.toRemote(topic);
    if (mapped === null) return this.settleHere(message, 'unmapped');
    if (!isChosen(map.outgoing, topic, message.subscriptionIdentifiers)) return this.settleHere(message, null);
    if (hasBeenAt(properties, [ports.brokerId, this.remoteId])) return this.settleHere(message, 'loop');
    const qos = Math.min(message.qos, this.maximumQos) as Quality;
    const retain = message.retain && this.retains;
    const way = target.version === 5 ? [ports.brokerId] : [];
    const publication = { topic: mapped.topicName, payload, qos, retain, packetId, rawProperties: rawProperties(onward(properties, way)), topicAlias: 0 }; // prettier-ignore
    if (!this.sendThere(publication, dup && qos > 0)) return this.settleHere(message, 'too-large');
    if (!dup) counters.rules[mapped.rule]!.out++;
    this.traces.sent(message, mapped.topicName, qos);
    if (target.echoes && map.toLocal(mapped.topicName) !== null)
      echoes.sent(mapped.topicName, payload, performance.now());
    if (qos === 0) this.settleHere(message, null);
    else if (qos < message.qos) this.lowered.add(packetId);
    if (this.remote.blocked) this.pair.hold(true);
  }

  private settleHere({ qos, packetId }: Message, cause: HeldBack | null): void {
    if (cause !== null) this.parts.counters.heldBack[cause]++;
    if (qos === 1) this.local!.sendAck('puback', packetId);
    if (qos !== 2) return;
    this.ownHere.add(packetId);
    this.local!.sendAck('pubrec', packetId);
  }

  private onLocalAck(name: AckName, { packetId, reasonCode }: Ack): void {
    if (name === 'pubrel' && this.ownHere.delete(packetId)) return this.local!.sendAck('pubcomp', packetId);
    this.remote.sendAck(name, packetId, reasonCode);
  }
}
