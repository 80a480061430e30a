/** What the heart tells of a message's way to whoever draws it (OpenTelemetry: observability/otel/). */

export interface TracedMessage {
  clientId: string;
  topicName: string;
  qos: 0 | 1 | 2;
  retain: boolean;
  /** Of the payload. */
  bytes: number;
  /** As the publisher has sent them (W3C Trace Context for MQTT: user properties); null when it has not. */
  traceparent: string | null;
  tracestate: string | null;
}

export interface TracedReceiver {
  clientId: string;
  qos: 0 | 1 | 2;
  /** The message goes out now, or waits for its client to come back. */
  connected: boolean;
}

export interface Tracing {
  /** Null when nobody wants to see this one. */
  begin(message: TracedMessage): MessageTrace | null;
  /** A message of QoS 2 goes on when it is released. */
  keep(message: object, trace: MessageTrace): void;
  resume(message: object): MessageTrace | null;
  /** A message goes by a bridge; null when nobody wants to see it. */
  cross(bridge: string, traceparent: string, topicName: string): CrossingTrace | null;
}

/** One message on its way; told in this order, whatever does not happen is left out. */
export interface MessageTrace {
  /** The rules have let it pass. */
  routes(): void;
  routed(matched: number, receivers: readonly TracedReceiver[]): void;
  /** Its acknowledgement waits for the disk. */
  waitsForStore(): void;
  acknowledged(reasonCode: number): void;
  /** Nothing more happens to it in this turn of the loop. */
  turnEnds(): void;
}

export interface CrossingTrace {
  /** `null`: the other broker has it. Otherwise why not. */
  ends(fault: string | null): void;
}
