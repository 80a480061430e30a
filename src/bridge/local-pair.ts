/**
 * LocalPair joins a bridge to its own broker without a socket: a Link for the broker, a Wire for the bridge.
 *
 *   broker ── link.write ──> out ──┐                        ┌──> wire.handler.onBytes ── bridge
 *                                  └── end of the turn ─────┘
 *   broker <── link.handler.onBytes ── end of the turn ── in <── wire.write ── bridge
 *
 * What the other broker does not take, the bridge does not take from here: while `held`, the broker sees a link that is
 * blocked and does what it does for any slow client.
 */
import type { Link, LinkHandler } from '../broker/ports.ts';
import type { Wire, WireHandler } from '../client/mod.ts';

/** Above this many bytes that the broker does not read (its disk is behind) the other broker is not read either. */
const UNREAD_BYTES_MAX = 8_388_608;

const deafLink: LinkHandler = { onBytes() {}, onDrain() {}, onClose() {} };
const deafWire: WireHandler = { onBytes() {}, onDrain() {}, onClosed() {} };

export class LocalPair {
  readonly link: Link = new BrokerEnd(this);
  readonly wire: Wire = new BridgeEnd(this);
  /** Bytes and packets of the broker that the bridge has not taken. */
  outBytes = 0;
  writesWhileBlocked = 0;
  blocked = false;
  private out: Buffer[] = [];
  private in: Buffer[] = [];
  private inBytes = 0;
  private held = false;
  private brokerReads = true;
  private outScheduled = false;
  private inScheduled = false;
  private closed = false;

  /** The broker reads less than the other one sends. */
  get overfull(): boolean {
    return this.inBytes > UNREAD_BYTES_MAX;
  }

  /** The other broker does not take more for the time being, or does so again. */
  hold(held: boolean): void {
    this.held = held;
    if (!held) this.deliverOut();
  }

  readOn(reads: boolean): void {
    this.brokerReads = reads;
    if (reads) this.scheduleIn();
  }

  fromBroker(range: Buffer): void {
    if (this.closed) return;
    this.out.push(range);
    this.outBytes += range.length;
    if (this.blocked) this.writesWhileBlocked++;
    if (this.outScheduled) return;
    this.outScheduled = true;
    process.nextTick(() => {
      this.outScheduled = false;
      this.deliverOut();
    });
  }

  deliverOut(): void {
    if (this.closed) return;
    if (this.held) {
      this.blocked ||= this.outBytes > 0;
      return;
    }
    const { out, blocked } = this;
    this.out = [];
    this.outBytes = this.writesWhileBlocked = 0;
    this.blocked = false;
    for (const range of out) if (!this.closed) this.wire.handler.onBytes(range);
    if (blocked && !this.closed) this.link.handler.onDrain();
  }

  fromBridge(bytes: Buffer): void {
    if (this.closed) return;
    this.in.push(bytes);
    this.inBytes += bytes.length;
    this.scheduleIn();
  }

  private scheduleIn(): void {
    if (this.inScheduled || this.closed) return;
    this.inScheduled = true;
    process.nextTick(() => {
      this.inScheduled = false;
      this.deliverIn();
    });
  }

  deliverIn(): void {
    while (this.brokerReads && !this.closed && this.in.length > 0) {
      const bytes = this.in.length === 1 ? this.in[0]! : Buffer.concat(this.in);
      this.in = [];
      const wasOverfull = this.overfull;
      this.inBytes = 0;
      this.link.handler.onBytes(bytes);
      if (wasOverfull) this.wire.handler.onDrain();
    }
  }

  close(by: 'peer' | 'us'): void {
    if (this.closed) return;
    this.closed = true;
    this.out = [];
    this.in = [];
    this.outBytes = this.inBytes = 0;
    // Not within the call: whoever closes is in the middle of something.
    process.nextTick(() => {
      this.link.handler.onClose({ by });
      this.wire.handler.onClosed(null);
    });
  }
}

class BrokerEnd implements Link {
  handler = deafLink;
  private readonly pair: LocalPair;

  constructor(pair: LocalPair) {
    this.pair = pair;
  }

  get pendingBytes(): number {
    return this.pair.outBytes;
  }

  get pendingWrites(): number {
    return this.pair.writesWhileBlocked;
  }

  get blocked(): boolean {
    return this.pair.blocked;
  }

  write(bytes: Buffer, start: number, end: number): void {
    // The range is the broker's again at the end of the turn, and the other side may have to wait for longer.
    this.pair.fromBroker(Buffer.from(bytes.subarray(start, end)));
  }

  pause(): void {
    this.pair.readOn(false);
  }

  resume(): void {
    this.pair.readOn(true);
  }

  flush(): void {
    this.pair.deliverOut();
  }

  end(): void {
    this.pair.deliverOut();
    this.pair.close('us');
  }

  destroy(): void {
    this.pair.close('us');
  }
}

class BridgeEnd implements Wire {
  handler = deafWire;
  readonly blocked = false;
  private readonly pair: LocalPair;

  constructor(pair: LocalPair) {
    this.pair = pair;
  }

  write(bytes: Buffer): void {
    this.pair.fromBridge(bytes);
  }

  end(onSent?: () => void): void {
    this.pair.deliverIn();
    onSent?.();
    this.pair.close('peer');
  }

  destroy(): void {
    this.pair.close('peer');
  }

  /** What is held back here is held back with hold(). */
  pause(): void {}

  resume(): void {}
}
