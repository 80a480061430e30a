/**
 * Retained messages for the operator: looked at, copied whole, purged and put back.
 *
 *   copies ──> a file of the operator's ──> purge what still is what was copied        restore puts a copy back
 */
import { hash } from 'node:crypto';
import { isUtf8 } from 'node:buffer';
import type { BrokerView, StoredMessage } from '../broker/ports.ts';
import type { PurgeOrder, PurgeReport, RestoreReport, RetainedCopy, RetainedFacts } from './contract.ts';
import { BadRequest } from './exchange.ts';

const PREVIEW_BYTES = 64;
/** Names told in an answer; there may be a million. */
const NAMES_MAX = 1000;

export function factsOf(message: StoredMessage): RetainedFacts {
  const { topicName, payload, qos, publisher, expiresAt } = message;
  return {
    topicName,
    bytes: payload.length,
    qos,
    publisher: publisher?.clientId ?? null,
    expiresAt,
    preview: previewOf(payload),
  };
}

export function copyOf(message: StoredMessage): RetainedCopy {
  const { topicName, payload, properties, qos, expiresAt } = message;
  return {
    topicName,
    qos,
    expiresAt,
    payloadBase64: payload.toString('base64'),
    propertiesBase64: properties.toString('base64'),
    digest: digestOf(message),
  };
}

/** The orders name what was seen: a message that has come since stays. */
export async function purge(view: BrokerView, orders: AsyncIterable<unknown>): Promise<PurgeReport> {
  const report: PurgeReport = { purged: 0, changed: [] };
  for await (const line of orders) {
    const { topicName, digest } = orderOf(line);
    const message = view.retainedOn(topicName);
    if (message !== null && digestOf(message) === digest && view.removeRetained(topicName)) report.purged++;
    else if (report.changed.length < NAMES_MAX) report.changed.push(topicName);
  }
  return report;
}

export async function restore(view: BrokerView, copies: AsyncIterable<unknown>): Promise<RestoreReport> {
  const report: RestoreReport = { restored: 0, kept: [] };
  for await (const line of copies) {
    const message = messageOf(line);
    if (view.restoreRetained(message)) report.restored++;
    else if (report.kept.length < NAMES_MAX) report.kept.push(message.topicName);
  }
  return report;
}

function digestOf({ topicName, payload, properties, qos, expiresAt }: StoredMessage): string {
  const head = Buffer.from(`${qos} ${expiresAt} ${payload.length} ${topicName}\n`);
  return hash('sha256', Buffer.concat([head, payload, properties]), 'hex');
}

/** Null for what is no text, or has control characters in it that a terminal would obey. */
function previewOf(payload: Buffer): string | null {
  if (payload.length === 0) return '';
  let end = Math.min(payload.length, PREVIEW_BYTES);
  // Not through the middle of a character.
  while (end > 0 && end < payload.length && (payload[end]! & 0xc0) === 0x80) end--;
  const head = payload.subarray(0, end);
  if (!isUtf8(head)) return null;
  const text = head.toString();
  return /[\u0000-\u001f\u007f-\u009f]/.test(text) ? null : text;
}

function orderOf(line: unknown): PurgeOrder {
  const { topicName, digest } = fieldsOf(line);
  if (typeof topicName !== 'string' || typeof digest !== 'string')
    throw new BadRequest('an order has topicName, digest');
  return { topicName, digest };
}

function messageOf(line: unknown): Omit<StoredMessage, 'publisher' | 'retain'> {
  const { topicName, qos, expiresAt, payloadBase64, propertiesBase64 } = fieldsOf(line);
  const whole =
    typeof topicName === 'string' &&
    (qos === 0 || qos === 1 || qos === 2) &&
    Number.isSafeInteger(expiresAt) &&
    typeof payloadBase64 === 'string' &&
    payloadBase64 !== '' &&
    typeof propertiesBase64 === 'string';
  if (!whole) throw new BadRequest('a copy has topicName, qos, expiresAt, payloadBase64 and propertiesBase64');
  return {
    topicName,
    qos,
    expiresAt: expiresAt as number,
    payload: Buffer.from(payloadBase64, 'base64'),
    properties: Buffer.from(propertiesBase64, 'base64'),
  };
}

function fieldsOf(line: unknown): Record<string, unknown> {
  if (typeof line !== 'object' || line === null) throw new BadRequest('a line of the body is no JSON object');
  return line as Record<string, unknown>;
}
