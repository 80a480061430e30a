/**
 * Bans: addresses whose connections are closed as they arrive, until a time.
 *
 *   imposed by failed logins, or by the operator ──> source, until ──> over by itself, or lifted
 *
 * A source is an IPv4 address or an IPv6 /64. The table is bounded. A full one gives up the oldest ban that nobody asked
 * for, and says so; what the operator has banned stays, and one more is refused instead.
 */
import { sourceOf } from '../base/mod.ts';

/** About 3 MB. */
const BANS_MAX = 10_000;

export interface Ban {
  readonly source: string;
  readonly by: 'failed logins' | 'operator';
  /** Unix milliseconds, both. */
  readonly since: number;
  readonly until: number;
  /** In words, for the operator. */
  readonly because: string;
  /** Connections closed because of it. */
  turnedAway: number;
}

export class Bans {
  /** The oldest first. */
  readonly #bans = new Map<string, Ban>();
  #operators = 0;

  /** The ban that is in force for this address, null for none. */
  on(address: string, now: number): Ban | null {
    if (this.#bans.size === 0) return null;
    const ban = this.#bans.get(sourceOf(address));
    if (ban === undefined) return null;
    if (ban.until > now) return ban;
    this.#remove(ban);
    return null;
  }

  /**
   * In place of an older one of the same source. Null when the table is full of bans by the operator; otherwise `lost` is
   * a ban in force that had to go for it.
   */
  impose(ban: Ban, now: number): { lost: Ban | null } | null {
    const before = this.#bans.get(ban.source);
    if (before !== undefined) this.#remove(before);
    const lost = this.#bans.size < BANS_MAX ? null : this.#makeRoom(now);
    if (lost === undefined) return null;
    this.#bans.set(ban.source, ban);
    if (ban.by === 'operator') this.#operators++;
    return { lost };
  }

  /** False when there is none. */
  lift(source: string, now: number): boolean {
    const ban = this.#bans.get(source);
    if (ban === undefined) return false;
    this.#remove(ban);
    return ban.until > now;
  }

  /** Those in force. */
  list(now: number): Ban[] {
    this.#removeOver(now);
    return [...this.#bans.values()];
  }

  #makeRoom(now: number): Ban | null | undefined {
    if (this.#operators >= BANS_MAX) return undefined;
    this.#removeOver(now);
    if (this.#bans.size < BANS_MAX) return null;
    for (const ban of this.#bans.values()) {
      if (ban.by === 'operator') continue;
      this.#remove(ban);
      return ban;
    }
    return undefined;
  }

  #removeOver(now: number): void {
    for (const ban of this.#bans.values()) if (ban.until <= now) this.#remove(ban);
  }

  #remove(ban: Ban): void {
    this.#bans.delete(ban.source);
    if (ban.by === 'operator') this.#operators--;
  }
}
