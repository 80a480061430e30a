/** W3C Trace Context: `00-<trace>-<parent>-<flags>` in and nothing out, because a broker passes user properties on unaltered [MQTT-3.3.2-17]. */
import { randomBytes } from 'node:crypto';

export interface TraceContext {
  traceId: string;
  parentId: string;
  sampled: boolean;
}

const shape = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** Null for what is not a valid header (level 1, 3.2): a trace then begins here. */
export function readTraceparent(text: string): TraceContext | null {
  const [, version, traceId, parentId, flags, rest] = shape.exec(text) ?? [];
  if (version === undefined || version === 'ff' || (version === '00' && rest !== undefined)) return null;
  if (/^0+$/.test(traceId!) || /^0+$/.test(parentId!)) return null;
  return { traceId: traceId!, parentId: parentId!, sampled: (parseInt(flags!, 16) & 1) === 1 };
}

export const newTraceId = (): string => randomBytes(16).toString('hex');
export const newSpanId = (): string => randomBytes(8).toString('hex');
