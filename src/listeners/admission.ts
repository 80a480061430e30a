/**
 * Who may take a socket: limits per listener, for all listeners, and for those that have not finished CONNECT.
 * What is over a limit is closed before a byte of it is read, with one line and one counter.
 */
import type { Socket } from 'node:net';
import type { ListenerRules, Meter } from '../broker/ports.ts';
import type { ListenerLimits } from './options.ts';

/** Open sockets of one listener. */
export interface Seats {
  taken: number;
  /** Since the start, those that a limit turned away included. */
  accepted: number;
}

export class Admission {
  private readonly limits: ListenerLimits;
  private readonly meter: Meter;
  private readonly pendingConnects: () => number;
  private taken = 0;
  /** Sockets in a PROXY header, TLS or WebSocket handshake: not yet the heart's. */
  arriving = 0;

  constructor(limits: ListenerLimits, meter: Meter, pendingConnects: () => number) {
    this.limits = limits;
    this.meter = meter;
    this.pendingConnects = pendingConnects;
  }

  get open(): number {
    return this.taken;
  }

  /** The limit that stands in the way, by its option's name; null when the socket may come in and has its seat. */
  enter(seats: Seats, rules: ListenerRules): string | null {
    this.meter.socketsAccepted++;
    seats.accepted++;
    const limit = this.limitReached(seats, rules);
    if (limit !== null) {
      this.meter.connectionsRefusedByLimit++;
      return limit;
    }
    seats.taken++;
    this.taken++;
    return null;
  }

  /** Whoever may not come in just now is counted, and closed. */
  turnAway(seats: Seats, socket: Socket): void {
    this.meter.socketsAccepted++;
    seats.accepted++;
    socket.destroy();
  }

  leave(seats: Seats): void {
    seats.taken--;
    this.taken--;
  }

  private limitReached(seats: Seats, rules: ListenerRules): string | null {
    const { globalMaxConnections, maxPendingConnections } = this.limits;
    // Mosquitto's line names max_connections for both of its limits.
    if (isReached(seats.taken, rules.maxConnections)) return 'max_connections';
    if (isReached(this.taken, globalMaxConnections)) return 'max_connections';
    if (isReached(this.arriving + this.pendingConnects(), maxPendingConnections)) return 'max_pending_connections';
    return null;
  }
}

function isReached(count: number, limit: number): boolean {
  return limit > 0 && count >= limit;
}
