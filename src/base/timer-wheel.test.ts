import assert from 'node:assert/strict';
import test from 'node:test';
import { Timer, TimerWheel } from './timer-wheel.ts';

test('a timer fires at the first advance at or after its due time, and never before', () => {
  const wheel = new TimerWheel(250, 0, assert.ifError);
  let fired = 0;
  wheel.set(new Timer(() => fired++), 1000);
  wheel.advance(999);
  assert.equal(fired, 0);
  wheel.advance(1000);
  assert.equal(fired, 1);
  wheel.advance(5000);
  assert.equal(fired, 1);
});

test('a cancelled timer does not fire, wherever it stands in its slot', () => {
  for (const victim of [0, 1, 2]) {
    const wheel = new TimerWheel(250, 0, assert.ifError);
    const fired: number[] = [];
    const timers = [0, 1, 2].map(n => new Timer(() => fired.push(n)));
    for (const timer of timers) wheel.set(timer, 500);
    wheel.cancel(timers[victim]!);
    wheel.advance(600);
    assert.deepEqual(
      fired.sort(),
      [0, 1, 2].filter(n => n !== victim),
    );
  }
});

test('a timer that was moved fires once, at its new time', () => {
  const wheel = new TimerWheel(250, 0, assert.ifError);
  let fired = 0;
  const timer = new Timer(() => fired++);
  wheel.set(timer, 500);
  wheel.set(timer, 2000);
  wheel.advance(1999);
  assert.equal(fired, 0);
  wheel.advance(2000);
  assert.equal(fired, 1);
});

test('a timer may set itself again from inside, and a long sleep loses none', () => {
  const wheel = new TimerWheel(250, 0, assert.ifError);
  let fired = 0;
  const timer: Timer = new Timer(() => {
    if (++fired < 3) wheel.set(timer, 0);
  });
  wheel.set(timer, 1000);
  wheel.advance(100_000_000);
  assert.equal(fired, 3);
});

test('a timer that throws is told of, and those behind it fire', () => {
  const faults: unknown[] = [];
  const wheel = new TimerWheel(250, 0, fault => faults.push(fault));
  let fired = 0;
  const fire = (): void => {
    fired++;
    if (fired === 2) throw new Error('a fault');
  };
  for (const due of [250, 250, 250, 500]) wheel.set(new Timer(fire), due);
  wheel.advance(500);
  assert.deepEqual([fired, faults.length], [4, 1]);
});
