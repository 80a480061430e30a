/**
 * What can move from one store to another, whatever the file is: Mosquitto's database, its SQLite file, ours, or JSON.
 *
 *   mosquitto.db      ──┐                      ┌──> EntryWriter ── store
 *   mosquitto.sqlite3 ──┼── Entry, Entry, … ───┤
 *   export.json       ──┘                      └──> JSON lines
 *
 * Nothing is met before what it points to: messages come before deliveries, sessions before what belongs to them.
 */
import type { StoredDelivery } from '../../broker/ports.ts';

/** What the entries of one source call a message by. */
export type MessageId = string | number | bigint;

export interface MessageEntry {
  kind: 'message';
  id: MessageId;
  topic: string;
  payload: Uint8Array;
  qos: 0 | 1 | 2;
  /** As published. */
  retain: boolean;
  /** Unix second; 0 for never. */
  expiresAt: number;
  publisher: { clientId: string; username: string | null; port: number } | null;
  /** As Mosquitto's SQLite plugin writes them (docs/compat/persist-sqlite.md, 6); null for none. */
  properties: string | null;
}

/** The message is the retained one of its topic. */
export interface RetainedEntry {
  kind: 'retained';
  message: MessageId;
}

export interface WillEntry {
  topic: string;
  payload: Uint8Array;
  qos: 0 | 1 | 2;
  retain: boolean;
  properties: string | null;
  /** Seconds. */
  delayInterval: number;
  /** Seconds; -1 when absent. */
  messageExpiryInterval: number;
  /** Unix second; 0 while the client was connected. */
  dueAt: number;
}

export interface SessionEntry {
  kind: 'session';
  clientId: string;
  username: string | null;
  /** Of the listener; 0 when not known. */
  port: number;
  version: 3 | 4 | 5 | null;
  /** Seconds; 0xFFFFFFFF for never, 0 when it is kept for its will alone. */
  expiryInterval: number;
  /** Unix second; 0 for never, and while connected. */
  endsAt: number;
  will: WillEntry | null;
}

export interface SubscriptionEntry {
  kind: 'subscription';
  clientId: string;
  /** With `$share/...` and the mount point in it. */
  filter: string;
  mountPoint: string;
  qos: 0 | 1 | 2;
  noLocal: boolean;
  retainAsPublished: boolean;
  /** 0 for none. */
  identifier: number;
}

/** A message on its way to a client. */
export interface DeliveryEntry {
  kind: 'delivery';
  clientId: string;
  message: MessageId;
  qos: 0 | 1 | 2;
  retain: boolean;
  /** 0 until it is in flight. */
  packetId: number;
  state: StoredDelivery['state'];
  dup: boolean;
  subscriptionIdentifier: number;
}

/** A QoS 2 message from a client that waits for PUBREL. */
export interface ExchangeEntry {
  kind: 'exchange';
  clientId: string;
  message: MessageId;
  packetId: number;
  /** False when it was answered and is to reach nobody. */
  deliver: boolean;
}

export type Entry = MessageEntry | RetainedEntry | SessionEntry | SubscriptionEntry | DeliveryEntry | ExchangeEntry;

/** Where entries come from. Iterating reads the source; what it lost is known at the end. */
export interface Source {
  /** A few words: `Mosquitto's database, format 6`. */
  readonly what: string;
  /** A subscription or message may name a session that the source has lost: it is made up, and never ends. */
  readonly makesUpSessions: boolean;
  /** Its filters have the mount point of the listener in them, and do not say so. */
  readonly hidesMountPoints: boolean;
  entries(): Iterable<Entry>;
  /** What could not be read, for the operator; empty when everything could. */
  losses(): string[];
  close(): void;
}

export const neverExpires = 0xffff_ffff;

export function isQos(value: unknown): value is 0 | 1 | 2 {
  return value === 0 || value === 1 || value === 2;
}
