/** What of a bridge's messages is drawn: from here until the other broker has acknowledged. Nothing where nobody traces. */
import type { Ack, AckName } from '../codec/mod.ts';
import type { CrossingTrace, Tracing } from '../broker/ports.ts';
import type { Message } from '../client/mod.ts';

export class CrossingTraces {
  readonly #bridge: string;
  readonly #tracing: () => Tracing | null;
  /** By packet identifier; no more than may be in flight. */
  #open: Map<number, CrossingTrace> | null = null;

  constructor(bridge: string, tracing: () => Tracing | null) {
    this.#bridge = bridge;
    this.#tracing = tracing;
  }

  sent({ properties, packetId }: Message, topicName: string, qos: 0 | 1 | 2): void {
    const tracing = this.#tracing();
    if (tracing === null) return;
    const context = properties.userProperties?.find(([name]) => name === 'traceparent')?.[1];
    const trace = context === undefined ? null : tracing.cross(this.#bridge, context, topicName);
    if (trace === null) return;
    if (qos === 0) trace.ends(null);
    else (this.#open ??= new Map()).set(packetId, trace);
  }

  acknowledged(name: AckName, { packetId, reasonCode }: Ack): void {
    const trace = this.#open?.get(packetId);
    const refused = reasonCode >= 0x80;
    if (trace === undefined || (name !== 'puback' && name !== 'pubcomp' && !(name === 'pubrec' && refused))) return;
    this.#open!.delete(packetId);
    trace.ends(refused ? `refused with 0x${reasonCode.toString(16)}` : null);
  }

  lost(): void {
    for (const trace of this.#open?.values() ?? []) trace.ends('the connection ended first; it is sent again');
    this.#open = null;
  }
}
