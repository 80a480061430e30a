/** Bytes to and from one peer. Served by transport/. */

/** Why a link closed. `error` carries the system's or OpenSSL's own words. */
export interface LinkEnd {
  by: 'peer' | 'us' | 'error';
  /** strerror-like text such as `Connection reset by peer`, for `error` only. */
  text?: string;
}

/** What a link tells its owner. One handler per link, set by whoever owns the conversation. */
export interface LinkHandler {
  /** The chunk is lent: once the call is over, other bytes may be written over it. */
  onBytes(chunk: Buffer): void;
  /** The kernel has taken everything that was waiting. */
  onDrain(): void;
  /** Called exactly once, and nothing after it. */
  onClose(end: LinkEnd): void;
}

/**
 * Bytes to one peer. What is written within one turn of the event loop leaves in one system call.
 * A range given to write() is not copied, and consecutive ranges of one buffer merge: it must not change before the link
 * has let go of it, of which the links tell together at the end of a turn (Broker.turnEnded).
 */
export interface Link {
  handler: LinkHandler;
  write(bytes: Buffer, start: number, end: number): void;
  /** Bytes accepted by write() that the kernel has not taken yet. */
  readonly pendingBytes: number;
  /** Packets accepted by write() since the kernel last refused to take everything; 0 when it keeps up. */
  readonly pendingWrites: number;
  /** True from the moment the kernel took less than it was given until onDrain. */
  readonly blocked: boolean;
  /** Stops and continues reading from the peer. */
  pause(): void;
  resume(): void;
  /** Hands what was written in this turn to the kernel now instead of at the end of the turn. */
  flush(): void;
  /**
   * Sends what is waiting, then closes. `closeCode` is used by WebSocket (1000 unless given). Where the peer has said
   * goodbye, its own close need not be awaited.
   */
  end(closeCode?: number, goodbyeSaid?: boolean): void;
  /** Closes at once; what is waiting is lost. */
  destroy(): void;
}
