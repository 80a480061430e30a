/** Spans, and what a collector is sent: OTLP 1 as JSON over HTTP (opentelemetry.io/docs/specs/otlp). */

/** Numbers of the protocol. */
export const kinds = { internal: 1, server: 2, client: 3, producer: 4 } as const;
const STATUS_ERROR = 2;

export interface Span {
  traceId: string;
  spanId: string;
  /** Null for the first of a trace. */
  parentId: string | null;
  tracestate: string | null;
  name: string;
  kind: (typeof kinds)[keyof typeof kinds];
  /** Unix milliseconds with their fractions. */
  start: number;
  end: number;
  attributes: Readonly<Record<string, string | number | boolean>>;
  /** Why it did not end well. */
  fault: string | null;
}

export interface Resource {
  'service.name': string;
  'service.version': string;
  'service.instance.id': string;
  'host.name': string;
}

export function otlpBody(resource: Resource, spans: readonly Span[]): string {
  const scope = { name: 'zancudo', version: resource['service.version'] };
  const scopeSpans = [{ scope, spans: spans.map(otlpSpan) }];
  return JSON.stringify({ resourceSpans: [{ resource: { attributes: attributesOf({ ...resource }) }, scopeSpans }] });
}

function otlpSpan(span: Span): object {
  const { traceId, spanId, parentId, tracestate, name, kind, start, end, attributes, fault } = span;
  return {
    traceId,
    spanId,
    ...(parentId === null ? {} : { parentSpanId: parentId }),
    ...(tracestate === null ? {} : { traceState: tracestate }),
    name,
    kind,
    startTimeUnixNano: nanoseconds(start),
    endTimeUnixNano: nanoseconds(end),
    attributes: attributesOf(attributes),
    ...(fault === null ? {} : { status: { code: STATUS_ERROR, message: fault } }),
  };
}

function attributesOf(of: Readonly<Record<string, string | number | boolean>>): object[] {
  return Object.entries(of).map(([key, value]) => ({ key, value: valueOf(value) }));
}

function valueOf(value: string | number | boolean): object {
  if (typeof value === 'string') return { stringValue: value };
  return typeof value === 'boolean' ? { boolValue: value } : { intValue: String(value) };
}

/** A double holds microseconds of our days, and no more. */
function nanoseconds(ms: number): string {
  return String(BigInt(Math.round(ms * 1000)) * 1000n);
}
