/**
 * Bridge is what outlives connections: which address is next, when, and what it is called.
 *
 *   automatic   connecting ──> connected ──> waiting ──> connecting ...
 *   once        connecting ──> connected ──> stopped
 *   lazy        idle ── threshold messages wait ──> connecting ──> connected ── idle_timeout ──> idle
 *
 * All addresses are tried before it waits. What was found out about the other broker (that it does not speak MQTT 5, that
 * it does not know bridges) is used at once.
 */
import type { BridgeFacts, BridgeState } from '../broker/ports.ts';
import { type ClientError, dialWire, type Wire } from '../client/mod.ts';
import { ClientError as Failure } from '../client/mod.ts';
import { Counters } from './counters.ts';
import { Crossing } from './crossing.ts';
import { prepareSession } from './local-side.ts';
import { EchoGuard } from './passing.ts';
import { Pause } from './pause.ts';
import { type Address, type BridgeNames, type BridgePlan, type BridgePorts, namesOf, type TopicRule } from './plan.ts';
import { type Features, featuresOf, type Target, targetOf } from './target.ts';
import { TopicMap } from './topic-map.ts';
import { inConfigurationWords } from './words.ts';

/** How often a lazy bridge looks at what waits, and at whether it has been idle. */
const LAZY_LOOK_MS = 250;
/** How often the first address is tried while another one serves (docs/compat/runtime.md, 7). */
const PRIMARY_LOOK_MS = 5_000;
/** Attempts without a feature that was refused, before it counts as a failure. */
const SIMPLER_MAX = 4;

export class Bridge {
  plan: BridgePlan;
  private next: BridgePlan | null = null;
  private readonly ports: BridgePorts;
  private names: BridgeNames;
  private map: TopicMap;
  private counters: Counters;
  private features: Features;
  private readonly echoes = new EchoGuard();
  private readonly pause = new Pause();
  private state: BridgeState = 'waiting';
  private since = Date.now();
  private addressIndex = 0;
  private failedAddresses = 0;
  private simpler = 0;
  private crossing: Crossing | null = null;
  private target: Target | null = null;
  private connectedAt = 0;
  private lastError: { message: string; remedy: readonly string[]; at: number } | null = null;
  private retryAt: number | null = null;
  private retryTimer: NodeJS.Timeout | undefined;
  private lazyTimer: NodeJS.Timeout | undefined;
  private primaryTimer: NodeJS.Timeout | undefined;
  private stopped = false;

  constructor(plan: BridgePlan, ports: BridgePorts) {
    this.plan = plan;
    this.ports = ports;
    this.names = namesOf(plan, ports.hostname);
    this.map = new TopicMap(plan.topics);
    this.counters = new Counters(plan.topics.length);
    this.features = featuresOf(plan);
  }

  get localClientId(): string {
    return this.names.localClientId;
  }

  /** What is published from now on waits for it. */
  async prepare(): Promise<void> {
    await prepareSession(this.plan, this.names, this.map.outgoing, this.ports);
  }

  start(): void {
    this.tell('0');
    if (this.plan.startType === 'lazy') this.becomeIdle();
    else void this.dial();
  }

  /** For good; the other broker says that it is down. */
  stop(): void {
    this.stopped = true;
    this.clearTimers();
    this.letGo();
    this.enter('stopped');
  }

  /** Ends the present connection, if there is one, without going on to the next. */
  private letGo(): void {
    const { crossing } = this;
    this.crossing = null;
    crossing?.close();
    if (this.state === 'connected') this.tell('0');
  }

  /** `bridge_reload_type`: at once, or when it connects the next time. */
  async change(plan: BridgePlan): Promise<void> {
    this.next = plan;
    if (plan.reloadType === 'lazy' && this.state === 'connected') return;
    this.clearTimers();
    this.letGo();
    await this.takeNext();
    if (this.stopped) return;
    this.addressIndex = this.failedAddresses = 0;
    this.start();
  }

  get waitsForReconnect(): boolean {
    return this.next !== null;
  }

  facts(): BridgeFacts {
    const session = this.ports.session(this.names.localClientId);
    const address = this.plan.addresses[this.addressIndex]!;
    return {
      name: this.plan.name,
      state: this.state,
      since: this.since,
      address: `${address.host}:${address.port}`,
      remoteClientId: this.names.remoteClientId,
      localClientId: this.names.localClientId,
      version: this.target?.version ?? this.features.version,
      encrypted: this.target !== null && this.target.options.tls !== undefined,
      connections: this.counters.connections,
      retryAt: this.retryAt,
      changeWaits: this.next !== null,
      lastError: this.lastError,
      topics: this.plan.topics.map((rule, i) => ({ text: textOf(rule), ...this.counters.rules[i]! })),
      heldBack: { ...this.counters.heldBack },
      waiting: (session?.queued ?? 0) + (session?.inflight ?? 0),
    };
  }

  private async takeNext(): Promise<void> {
    const plan = this.next;
    if (plan === null) return;
    this.next = null;
    const before = this.names.localClientId;
    this.plan = plan;
    this.names = namesOf(plan, this.ports.hostname);
    if (this.names.localClientId !== before) this.ports.forget(before);
    this.map = new TopicMap(plan.topics);
    const { connections } = this.counters;
    this.counters = new Counters(plan.topics.length);
    this.counters.connections = connections;
    this.features = featuresOf(plan);
    await this.prepare();
  }

  /** False when the bridge is not to go on. */
  private async takeNextSafely(): Promise<boolean> {
    try {
      await this.takeNext();
    } catch (error) {
      if (!this.stopped) this.failed(asClientError(error));
      return false;
    }
    return !this.stopped;
  }

  private async dial(): Promise<void> {
    this.retryAt = null;
    if (this.next !== null && !(await this.takeNextSafely())) return;
    const { plan, names, ports, features } = this;
    const address = plan.addresses[this.addressIndex % plan.addresses.length]!;
    this.enter('connecting');
    // Every attempt after a failed one would only hide the reason of the failure.
    const as = this.lastError === null ? 'notice' : 'debug';
    ports.log.write(as, `Connecting bridge ${plan.name} (${address.host}:${address.port})`, {
      code: 'bridge.connecting',
      bridge: plan.name,
      address: address.host,
      port: address.port,
    });
    let wire: Wire;
    try {
      this.target = await targetOf(plan, names, address, features, ports);
      wire = await dialWire(this.target.options);
    } catch (error) {
      if (!this.stopped && this.plan === plan) this.failed(asClientError(error));
      return;
    }
    if (this.stopped || this.plan !== plan || this.crossing !== null) return wire.destroy();
    this.cross(wire, this.target);
  }

  private cross(wire: Wire, target: Target): void {
    const { plan, names, map, counters, echoes, ports } = this;
    try {
      const crossing: Crossing = new Crossing(
        {
          plan,
          names,
          map,
          counters,
          echoes,
          ports,
          target,
          onUp: () => this.onUp(),
          onEnd: error => {
            if (this.crossing === crossing) this.onEnd(error);
          },
        },
        wire,
      );
      this.crossing = crossing;
    } catch (error) {
      wire.destroy();
      this.failed(asClientError(error));
    }
  }

  private onUp(): void {
    this.counters.connections++;
    this.connectedAt = performance.now();
    this.failedAddresses = this.simpler = 0;
    this.lastError = null;
    this.enter('connected');
    this.ports.log.write('notice', `Bridge ${this.plan.name} is connected to ${this.target!.place}.`, {
      code: 'bridge.connected',
      bridge: this.plan.name,
    });
    this.tell('1');
    if (this.plan.startType === 'lazy') this.watchIdleness();
    if (this.addressIndex > 0 && !this.plan.roundRobin) this.watchPrimary();
  }

  private onEnd(error: ClientError | null): void {
    const wasUp = this.state === 'connected';
    this.crossing = null;
    this.clearTimers();
    if (wasUp) this.tell('0');
    if (this.stopped) return;
    if (wasUp) this.lost(error);
    else if (error !== null) this.failed(error);
  }

  /** A connection that was up is gone. */
  private lost(error: ClientError | null): void {
    const { plan, ports } = this;
    if (error !== null) this.note(error);
    if (plan.startType === 'once') return this.enter('stopped');
    const heldSeconds = (performance.now() - this.connectedAt) / 1000;
    if (heldSeconds >= plan.restartTimeout.stableSeconds) {
      this.pause.reset();
      ports.log.write('debug', `Bridge ${plan.name} connection was stable enough, resetting backoff`);
    }
    this.features = { ...featuresOf(plan), version: this.features.version };
    // The next address at once, if there is one: the first unless they take turns.
    const several = plan.addresses.length > 1;
    if (several) this.addressIndex = plan.roundRobin ? this.addressAfter() : this.addressIndex === 0 ? 1 : 0;
    if (several) void this.dial();
    else this.retryLater();
  }

  /** An attempt has led to nothing. */
  private failed(error: ClientError): void {
    if (this.simpler < SIMPLER_MAX && this.canGoSimpler(error)) {
      this.simpler++;
      return void this.dial();
    }
    this.note(error);
    this.simpler = 0;
    this.features = { ...featuresOf(this.plan), version: this.features.version };
    this.addressIndex = this.addressAfter();
    this.failedAddresses++;
    if (this.failedAddresses < this.plan.addresses.length) return void this.dial();
    this.failedAddresses = 0;
    if (this.plan.startType === 'once') return this.enter('stopped');
    this.retryLater();
  }

  private addressAfter(): number {
    return (this.addressIndex + 1) % this.plan.addresses.length;
  }

  private retryLater(): void {
    const { plan, ports } = this;
    const ms = this.pause.nextMs(plan.restartTimeout);
    this.retryAt = Date.now() + ms;
    this.enter('waiting');
    if (plan.restartTimeout.capSeconds > plan.restartTimeout.baseSeconds) {
      ports.log.write('information', `Bridge ${plan.name} next backoff will be ${ms} ms`, {
        code: 'bridge.back-off',
        bridge: plan.name,
      });
    }
    this.retryTimer = setTimeout(() => void this.dial(), ms);
  }

  /** The other broker lacks something that the bridge can do without (docs/compat/errors-logs.md, 9). */
  private canGoSimpler({ code, reasonCode }: ClientError): boolean {
    const { features, plan, ports } = this;
    const refused = code === 'connect.refused';
    const unknownVersion = refused && (reasonCode === 1 || reasonCode === 0x84);
    if (features.version === 5 && unknownVersion) {
      const text = `Warning: Remote bridge ${plan.name} does not support MQTT v5.0, reconnecting using MQTT v3.1.1.`;
      ports.log.write('warning', text, { code: 'bridge.remote-too-old', bridge: plan.name });
      this.features = { ...features, version: 4, private: plan.tryPrivate };
    } else if (features.private && (unknownVersion || code === 'mqtt.closed-before-connack')) {
      this.features = { ...features, private: false };
    } else if (refused && reasonCode === 0x9a && features.retains) {
      ports.log.write('error', 'Connection Refused: retain not available (will retry)', {
        code: 'bridge.remote-refuses',
        bridge: plan.name,
      });
      this.features = { ...features, retains: false };
    } else if (refused && reasonCode === 0x9b && features.maximumQos > 0) {
      ports.log.write('error', 'Connection Refused: QoS not supported (will retry)', {
        code: 'bridge.remote-refuses',
        bridge: plan.name,
      });
      this.features = { ...features, maximumQos: features.maximumQos === 2 ? 1 : 0 };
    } else return false;
    return true;
  }

  /** Said when it is news; the same error at every attempt would hide everything else in the log. */
  private note(error: ClientError): void {
    const { plan, ports } = this;
    const message = inConfigurationWords(error.message);
    const remedy = error.remedy.map(inConfigurationWords);
    const isNews = this.lastError?.message !== message;
    this.lastError = { message, remedy, at: Date.now() };
    ports.log.write(isNews ? 'warning' : 'debug', `Bridge ${plan.name}: ${message}`, {
      code: 'bridge.failing',
      bridge: plan.name,
      reason: error.code,
    });
    if (isNews)
      for (const line of remedy) ports.log.write('warning', `  ${line}`, { code: 'bridge.failing', bridge: plan.name });
  }

  // Lazy bridges

  private becomeIdle(): void {
    this.enter('idle');
    this.lazyTimer = setInterval(() => {
      const session = this.ports.session(this.names.localClientId);
      if (session === null || session.queued + session.inflight < this.plan.threshold) return;
      this.clearTimers();
      void this.dial();
    }, LAZY_LOOK_MS);
  }

  private watchIdleness(): void {
    this.lazyTimer = setInterval(() => {
      const { crossing, plan, ports } = this;
      if (crossing === null || performance.now() - crossing.lastMessageAt < plan.idleTimeoutSeconds * 1000) return;
      const session = ports.session(this.names.localClientId);
      if (session !== null && session.queued + session.inflight > 0) return;
      this.clearTimers();
      this.letGo();
      ports.log.write('notice', `Bridge connection ${plan.name} has exceeded idle timeout, disconnecting.`, {
        code: 'bridge.idle',
        bridge: plan.name,
      });
      this.becomeIdle();
    }, LAZY_LOOK_MS);
  }

  // The first of several addresses

  private watchPrimary(): void {
    this.primaryTimer = setTimeout(() => void this.tryPrimary(), PRIMARY_LOOK_MS);
  }

  private async tryPrimary(): Promise<void> {
    const { plan, names, ports, features, crossing } = this;
    const isUp = await reaches(plan, names, plan.addresses[0]!, features, ports);
    if (this.crossing !== crossing || crossing === null || this.stopped) return;
    if (!isUp) return this.watchPrimary();
    ports.log.write('notice', `Bridge ${plan.name}: ${plan.addresses[0]!.host}:${plan.addresses[0]!.port} answers again, going back to it.`, { code: 'bridge.back-to-first', bridge: plan.name }); // prettier-ignore
    this.letGo();
    this.addressIndex = 0;
    void this.dial();
  }

  private tell(payload: '0' | '1'): void {
    if (this.plan.notifications) this.ports.publish(this.names.notificationTopic, payload);
  }

  private enter(state: BridgeState): void {
    if (this.state !== state) this.since = Date.now();
    this.state = state;
  }

  private clearTimers(): void {
    clearTimeout(this.retryTimer);
    clearInterval(this.lazyTimer);
    clearTimeout(this.primaryTimer);
  }
}

async function reaches(
  plan: BridgePlan,
  names: BridgeNames,
  address: Address,
  features: Features,
  ports: BridgePorts,
): Promise<boolean> {
  try {
    const wire = await dialWire((await targetOf(plan, names, address, features, ports)).options);
    wire.destroy();
    return true;
  } catch {
    return false;
  }
}

/** `""` stands for nothing; prefixes that are not there are left out. */
function textOf({ pattern, direction, qos, localPrefix, remotePrefix }: TopicRule): string {
  const prefixes = localPrefix === '' && remotePrefix === '' ? [] : [localPrefix, remotePrefix];
  return [pattern, direction, String(qos), ...prefixes].map(word => (word === '' ? '""' : word)).join(' ');
}

/** A fault of ours is told as such, and does not end the bridge. */
function asClientError(error: unknown): ClientError {
  if (error instanceof Failure) return error;
  const why = error instanceof Error ? error.message : String(error);
  return new Failure({ code: 'bridge.fault', kind: 'invalid', message: `The bridge could not be set up: ${why}.` });
}
