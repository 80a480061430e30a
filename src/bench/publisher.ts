/** Sends numbered messages as fast as its windows allow, a whole refill at a time. */
import type { Publishing } from './ledger.ts';
import type { Member } from './member.ts';
import { numberAt, putNumber, timeAt, type Template } from './stamp.ts';
import type { Turn } from './turn.ts';

export interface Windows {
  qos: 0 | 1 | 2;
  cap: number;
  window: number;
  batch: number;
}

/** It pauses when this much waits for the broker to read. */
const unsentMax = 262_144;

export class Publisher implements Publishing {
  sent = 0;
  acknowledged = 0;
  done = 0;
  /** Messages that it may send in all. */
  quota = Number.POSITIVE_INFINITY;
  ring: Uint32Array | null = null;
  isStopped = false;
  readonly member: Member;
  /** Writes the varying part of the topic. */
  private readonly vary: ((bytes: Buffer, topicAt: number, number: number) => void) | null;
  private readonly template: Template;
  private readonly windows: Windows;
  private readonly turn: Turn;
  private packetId = 0;
  private isWaiting = false;
  private isBlocked = false;

  constructor(
    member: Member,
    template: Template,
    windows: Windows,
    turn: Turn,
    vary: ((bytes: Buffer, topicAt: number, number: number) => void) | null,
  ) {
    this.member = member;
    this.template = template;
    this.windows = windows;
    this.turn = turn;
    this.vary = vary;
    member.publisher = this;
  }

  settled(): void {
    if (this.isWaiting) return;
    this.isWaiting = true;
    this.turn.refill(this);
  }

  taken(): void {
    this.acknowledged++;
    this.settled();
  }

  /** The link has room again. */
  unblocked(): void {
    if (!this.isBlocked) return;
    this.isBlocked = false;
    this.settled();
  }

  pump(): void {
    this.isWaiting = false;
    if (this.isStopped || !this.member.isReady) return;
    const { qos, cap, window, batch } = this.windows;
    const inflight = Math.min(window, this.member.receiveMaximum);
    const limit = Math.min(this.done + cap, this.quota, qos === 0 ? Infinity : this.acknowledged + inflight);
    const room = limit - this.sent;
    if (room <= 0) return;
    // A fuller batch is worth waiting for, unless nothing is on its way that could bring it.
    if (room < batch && limit !== this.quota && this.sent > this.done) return;
    const fitting = Math.ceil((unsentMax - this.member.unsent) / this.template.bytes.length);
    if (fitting < limit - this.sent) this.isBlocked = true;
    if (fitting > 0) this.emit(Math.min(fitting, limit - this.sent), 0);
  }

  /** The next `count` messages, written as copies in one call and then numbered. `time` as in the stamp, 0: not measured. */
  emit(count: number, time: number): void {
    const { bytes, topicAt, packetIdAt, payloadAt } = this.template;
    const size = bytes.length;
    let at = this.member.room(size * count);
    const out = this.member.out;
    const end = at + size * count;
    out.fill(bytes, at, end);
    for (; at < end; at += size) {
      this.vary?.(out, at + topicAt, this.sent);
      if (packetIdAt > 0) {
        this.packetId = this.packetId === 0xffff ? 1 : this.packetId + 1;
        out[at + packetIdAt] = this.packetId >> 8;
        out[at + packetIdAt + 1] = this.packetId & 0xff;
      }
      putNumber(out, at + payloadAt + numberAt, this.sent);
      if (time > 0) putNumber(out, at + payloadAt + timeAt, time);
      this.sent++;
    }
  }
}
