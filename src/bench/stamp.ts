/**
 * The payload of every message says whose it is and which, so that loss, repeats and disorder show:
 *
 *   0      4          8         12                16
 *   | run  | publisher | number | time in 0.1 µs | filling ...
 *
 * The packet is made once per publisher by the product's own codec; sending one is a copy and two or three numbers.
 */
import { encodePublish, NO_BYTES, type ProtocolVersion } from '../codec/mod.ts';
import type { Qos } from '../client/mod.ts';

export const stampBytes = 16;
export const runAt = 0;
export const publisherAt = 4;
export const numberAt = 8;
export const timeAt = 12;

export interface Template {
  bytes: Buffer;
  topicAt: number;
  /** 0 at QoS 0. */
  packetIdAt: number;
  payloadAt: number;
}

export interface TemplateParts {
  topic: string;
  run: number;
  publisher: number;
  size: number;
  qos: Qos;
  retain: boolean;
  version: ProtocolVersion;
}

/** A field of the stamp. By single bytes, which V8 makes one piece of code of; Buffer's own methods are calls. */
export function numberIn(bytes: Buffer, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}

export function putNumber(bytes: Buffer, at: number, value: number): void {
  bytes[at] = value & 0xff;
  bytes[at + 1] = (value >>> 8) & 0xff;
  bytes[at + 2] = (value >>> 16) & 0xff;
  bytes[at + 3] = value >>> 24;
}

/** What stands at position `at` of a payload, behind the stamp. */
export function filling(at: number): number {
  return 97 + (at % 26);
}

export function makeTemplate(parts: TemplateParts): Template {
  const payload = Buffer.allocUnsafe(parts.size);
  for (let at = 0; at < payload.length; at++) payload[at] = filling(at);
  putNumber(payload, runAt, parts.run);
  putNumber(payload, publisherAt, parts.publisher);
  putNumber(payload, numberAt, 0);
  putNumber(payload, timeAt, 0);
  const topic = Buffer.from(parts.topic);
  const bytes = encodePublish({
    version: parts.version,
    dup: false,
    qos: parts.qos,
    retain: parts.retain,
    topic,
    packetId: parts.qos === 0 ? 0 : 1,
    properties: NO_BYTES,
    messageExpiryInterval: -1,
    topicAlias: 0,
    subscriptionIdentifier: 0,
    payload,
    payloadStart: 0,
    payloadEnd: payload.length,
  });
  const payloadAt = bytes.length - payload.length;
  const behindTopic = payloadAt - (parts.version === 5 ? 1 : 0) - (parts.qos === 0 ? 0 : 2);
  return {
    bytes,
    topicAt: behindTopic - topic.length,
    packetIdAt: parts.qos === 0 ? 0 : behindTopic,
    payloadAt,
  };
}

/** Writes `value` as decimal digits, zeros in front; for the parts of a topic that vary. */
export function putDigits(bytes: Buffer, at: number, digits: number, value: number): void {
  for (let place = at + digits - 1; place >= at; place--) {
    bytes[place] = 48 + (value % 10);
    value = Math.floor(value / 10);
  }
}
