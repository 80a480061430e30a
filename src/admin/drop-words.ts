/** Why messages were dropped, in words; the codes are those of the label `cause` of the metric. */
import type { DropCause } from '../broker/ports.ts';

interface Words {
  says: string;
  /** False for what rules and clients themselves ask for: it happens on a healthy broker every day. */
  unusual: boolean;
}

export const dropWords: Readonly<Record<DropCause, Words>> = {
  'queue-messages': { says: 'queue full (max_queued_messages)', unusual: true },
  'queue-bytes': { says: 'queue full (max_queued_bytes)', unusual: true },
  'total-bytes': { says: 'all queues together full', unusual: true },
  'slow-link': { says: 'QoS 0 to a client that reads too slowly', unusual: true },
  'too-large': { says: 'too large for the client or message_size_limit', unusual: true },
  'over-rate': { says: 'published faster than max_publish_rate', unusual: true },
  denied: { says: 'refused by the access rules', unusual: false },
  plugin: { says: 'kept back by a plugin', unusual: false },
  expired: { says: 'message expiry was over', unusual: false },
  'session-expired': { says: 'waiting when their session ended', unusual: false },
  'not-retained': { says: 'delivered but not retained (max_retained_...)', unusual: true },
};

export function dropText(cause: string): string {
  return (dropWords as Readonly<Record<string, Words | undefined>>)[cause]?.says ?? cause;
}

export function isUnusualDrop(cause: string): boolean {
  return (dropWords as Readonly<Record<string, Words | undefined>>)[cause]?.unusual ?? true;
}
