import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { SocketLink } from './link.ts';
import { Nap } from './nap.ts';
import { WriteScheduler } from './write-scheduler.ts';

/** A broker that is given chunks at a rate: each turn serves what has come since the last one. */
class Turns {
  private ms = 0;
  naps = 0;
  readonly nap = new Nap(100, {
    now: () => this.ms,
    sleep: milliseconds => {
      this.naps++;
      this.ms += milliseconds;
    },
  });

  /** Naps a millisecond, over that time. */
  run(milliseconds: number, chunksPerMs: number, bytes: number): number {
    const [end, before] = [this.ms + milliseconds, this.naps];
    let due = this.ms;
    while (this.ms < end) {
      const waited = Math.max(1, Math.floor((this.ms - due) * chunksPerMs));
      due += waited / chunksPerMs;
      this.turn(waited, bytes);
      this.ms = Math.max(this.ms, due);
    }
    return (this.naps - before) / milliseconds;
  }

  /** A client that sends only when it was answered: one chunk, however long the last turn took. */
  answer(turns: number): void {
    for (let i = 0; i < turns; i++) this.turn(1, 80);
  }

  private turn(chunks: number, bytes: number): void {
    for (let i = 0; i < chunks; i++) this.nap.heard(bytes);
    this.ms += 0.005 + 0.005 * chunks;
    this.nap.turnEnded();
  }
}

test('10,000 messages a second and their acknowledgements are never held up', () => {
  assert.equal(new Turns().run(1000, 20, 80), 0);
});

test('many small chunks that come one by one are gathered, and no more once they come seldom', () => {
  const turns = new Turns();
  assert.ok(turns.run(100, 40, 80) > 1);
  turns.run(20, 8, 80);
  assert.equal(turns.run(100, 8, 80), 0);
});

test('turns that carry much do not wait', () => {
  assert.equal(new Turns().run(100, 40, 65_536), 0);
});

test('who waits for each answer is delayed a few times, and then more and more seldom', () => {
  const turns = new Turns();
  turns.answer(100_000);
  assert.ok(turns.naps > 0 && turns.naps < 1000, `${turns.naps} naps`);
  const before = turns.naps;
  turns.answer(100_000);
  assert.ok(turns.naps - before < 300, `${turns.naps - before} naps`);
});

test('a crowd that comes and goes is not held up: what a link reads first is no message', () => {
  const heard: number[] = [];
  const nap = { heard: (bytes: number) => void heard.push(bytes), turnEnded: () => {} } as unknown as Nap;
  const scheduler = new WriteScheduler(nap);
  for (const bytes of [20, 2]) {
    const socket = new EventEmitter() as Socket;
    Object.assign(socket, { isPaused: () => false });
    const link = new SocketLink(socket, scheduler);
    link.received(Buffer.alloc(bytes));
    link.received(Buffer.alloc(100 + bytes));
  }
  assert.deepEqual(heard, [120, 102]);
});
