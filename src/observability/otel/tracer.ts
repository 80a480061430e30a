/**
 * Draws the ways of some messages as spans.
 *
 *   publish  ─────────────────────────────────   SERVER    from the packet to its acknowledgement
 *     authorise ──                               INTERNAL  limits and access rules
 *     route       ───                            INTERNAL  how many filters matched
 *       deliver     ─  deliver ─                 PRODUCER  for each receiver, 32 at most
 *     store             ─────────────────────    INTERNAL  until the disk has it
 *   release    ──                                SERVER    QoS 2: the PUBREL, with route and deliver below it
 *   bridge            ─────────                  CLIENT    until the other broker has acknowledged
 *
 * Traced is what comes with a sampled `traceparent`, and a share of what comes without; never more in a second than
 * `tracesPerSecond`, whatever publishers ask for.
 */
import type { CrossingTrace, MessageTrace, TracedMessage, TracedReceiver, Tracing } from '../../broker/ports.ts';
import { kinds, type Span } from './span.ts';
import { newSpanId, newTraceId, readTraceparent } from './trace-context.ts';

export interface TracerSettings {
  /** Of the messages without a `traceparent`: 0 to 1. */
  ratio: number;
  tracesPerSecond: number;
}

export type Emit = (span: Span) => void;

/** Unix milliseconds with fractions, never going back. */
export const preciseNow = (): number => performance.timeOrigin + performance.now();

export class Tracer implements Tracing {
  readonly #settings: TracerSettings;
  readonly #emit: Emit;
  readonly #random: () => number;
  readonly #kept = new WeakMap<object, Way>();
  #second = 0;
  #inSecond = 0;

  constructor(settings: TracerSettings, emit: Emit, random = Math.random) {
    this.#settings = settings;
    this.#emit = emit;
    this.#random = random;
  }

  begin(message: TracedMessage): MessageTrace | null {
    const context = message.traceparent === null ? null : readTraceparent(message.traceparent);
    const wanted = context === null ? this.#random() < this.#settings.ratio : context.sampled;
    if (!wanted || !this.#hasRoom()) return null;
    const traceId = context?.traceId ?? newTraceId();
    return new Way('publish', { traceId, parentId: context?.parentId ?? null, message }, this.#emit);
  }

  keep(message: object, trace: MessageTrace): void {
    if (trace instanceof Way) this.#kept.set(message, trace);
  }

  resume(message: object): MessageTrace | null {
    const before = this.#kept.get(message);
    return before === undefined ? null : new Way('release', before.origin, this.#emit);
  }

  cross(bridge: string, traceparent: string, topicName: string): CrossingTrace | null {
    const context = readTraceparent(traceparent);
    if (context?.sampled !== true || !this.#hasRoom()) return null;
    const start = preciseNow();
    const attributes = { ...topicAttributes(topicName), 'zancudo.bridge': bridge };
    const { traceId, parentId } = context;
    const span = { traceId, parentId, spanId: newSpanId(), tracestate: null, name: 'bridge', kind: kinds.client, attributes }; // prettier-ignore
    return { ends: fault => this.#emit({ ...span, start, end: preciseNow(), fault }) };
  }

  #hasRoom(): boolean {
    const second = Math.floor(performance.now() / 1000);
    if (second !== this.#second) [this.#second, this.#inSecond] = [second, 0];
    return this.#inSecond++ < this.#settings.tracesPerSecond;
  }
}

interface Origin {
  traceId: string;
  parentId: string | null;
  message: TracedMessage;
}

class Way implements MessageTrace {
  readonly origin: Origin;
  readonly #name: string;
  readonly #emit: Emit;
  readonly #spanId = newSpanId();
  readonly #start = preciseNow();
  #routeStart = 0;
  #storeStart = 0;
  #reasonCode = 0;
  #ended = false;

  constructor(name: string, origin: Origin, emit: Emit) {
    this.#name = name;
    this.origin = origin;
    this.#emit = emit;
  }

  routes(): void {
    this.#routeStart = preciseNow();
    if (this.#name === 'publish') this.#child('authorise', this.#start, this.#routeStart);
  }

  routed(matched: number, receivers: readonly TracedReceiver[]): void {
    const end = preciseNow();
    const route = this.#child('route', this.#routeStart, end, { 'zancudo.filters': matched });
    for (const { clientId, qos, connected } of receivers) {
      const attributes = { 'messaging.client.id': clientId, 'zancudo.qos': qos, 'zancudo.connected': connected };
      this.#child('deliver', this.#routeStart, end, attributes, { kind: kinds.producer, parentId: route });
    }
  }

  waitsForStore(): void {
    this.#storeStart = preciseNow();
  }

  acknowledged(reasonCode: number): void {
    this.#reasonCode = reasonCode;
    if (this.#storeStart === 0) return;
    this.#child('store', this.#storeStart, preciseNow());
    this.#end();
  }

  turnEnds(): void {
    if (this.#storeStart === 0) this.#end();
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    const { traceId, parentId, message } = this.origin;
    const refused = this.#reasonCode >= 0x80 || (this.#routeStart === 0 && this.#name === 'publish' && message.qos < 2);
    this.#emit({
      traceId,
      parentId,
      spanId: this.#spanId,
      tracestate: message.tracestate,
      name: this.#name,
      kind: kinds.server,
      start: this.#start,
      end: preciseNow(),
      attributes: attributesOf(message),
      fault: refused ? `not accepted${this.#reasonCode >= 0x80 ? ` (0x${this.#reasonCode.toString(16)})` : ''}` : null,
    });
  }

  #child(
    name: string,
    start: number,
    end: number,
    attributes: Span['attributes'] = {},
    { kind = kinds.internal, parentId = this.#spanId }: Partial<Pick<Span, 'kind'>> & { parentId?: string } = {},
  ): string {
    const spanId = newSpanId();
    const { traceId, message } = this.origin;
    this.#emit({
      traceId,
      parentId,
      spanId,
      tracestate: message.tracestate,
      name,
      kind,
      start,
      end,
      attributes,
      fault: null,
    });
    return spanId;
  }
}

function topicAttributes(topicName: string): Record<string, string> {
  return { 'messaging.system': 'mqtt', 'messaging.destination.name': topicName };
}

function attributesOf({ clientId, topicName, qos, retain, bytes }: TracedMessage): Span['attributes'] {
  return {
    ...topicAttributes(topicName),
    'messaging.client.id': clientId,
    'messaging.message.body.size': bytes,
    'zancudo.qos': qos,
    'zancudo.retain': retain,
  };
}
