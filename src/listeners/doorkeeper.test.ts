import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Peer } from '../broker/ports.ts';
import { createMeter } from '../observability/mod.ts';
import { AddressDoorkeeper, type DoorLimits } from './doorkeeper.ts';

const peerAt = (address: string): Peer =>
  ({ address, listener: { name: 'port 8883', unixPath: null } }) as unknown as Peer;

class House {
  now = 1_000_000;
  readonly lines: string[] = [];
  readonly meter = createMeter();
  readonly limits: DoorLimits = { banAfter: 3, banSecondsMax: 60, banExempt: ['private'], connectionsPerSecond: 2 };
  readonly door = new AddressDoorkeeper({
    limits: this.limits,
    log: { debug: false, subscribe: false, unsubscribe: false, connections: true, write: (_, text) => void this.lines.push(text) },
    meter: this.meter,
    wall: () => this.now,
  }); // prettier-ignore

  fail(address: string, times = 1, username: string | null = 'ana'): number {
    let wait = 0;
    for (let i = 0; i < times; i++) wait = this.door.refused(peerAt(address), username);
    return wait;
  }

  isOpenTo(address: string): boolean {
    return this.door.turnsAway(peerAt(address)) === null;
  }
}

test('failed logins ban the address, each time for twice as long, up to the longest', () => {
  const house = new House();
  house.fail('203.0.113.7', 2);
  assert.equal(house.isOpenTo('203.0.113.7'), true);
  const bans = [1, 1, 1, 1, 1].map(times => {
    house.fail('203.0.113.7', times);
    const [ban] = house.door.list();
    const seconds = (ban!.until - house.now) / 1000;
    assert.equal(house.isOpenTo('203.0.113.7'), false);
    house.now = ban!.until;
    assert.equal(house.isOpenTo('203.0.113.7'), true);
    return seconds;
  });
  assert.deepEqual(bans, [10, 20, 40, 60, 60]);
  assert.match(house.lines[0]!, /203\.0\.113\.7 are closed for 10 s: 3 failed logins, the last one as user 'ana' on port 8883/); // prettier-ignore
  assert.equal(house.meter.connectionsRefusedByBan, 5);
});

test('a right password lifts the wait at its address, and nobody elsewhere makes it longer there', () => {
  const house = new House();
  assert.ok(house.fail('192.0.2.1', 6) > 0);
  house.door.entered(peerAt('192.0.2.1'), 'ana');
  house.fail('198.51.100.1', 9);
  assert.equal(house.fail('192.0.2.1', 3), 0);
  assert.ok(house.fail('192.0.2.1') > 0);
  house.door.entered(peerAt('192.0.2.1'), 'ana');
  assert.equal(house.fail('192.0.2.1'), 0);
  assert.ok(house.fail('198.51.100.1') > 0, 'who guesses elsewhere is not let off by it');
});

test('as long as somebody from the address is logged in, and after a success, it is not banned', () => {
  const house = new House();
  house.fail('203.0.113.7', 2);
  house.door.entered(peerAt('203.0.113.7'));
  house.fail('203.0.113.7', 50);
  assert.equal(house.isOpenTo('203.0.113.7'), true);
  house.door.left(peerAt('203.0.113.7'));
  house.fail('203.0.113.7', 2);
  assert.equal(house.isOpenTo('203.0.113.7'), true);
  house.fail('203.0.113.7');
  assert.equal(house.isOpenTo('203.0.113.7'), false);
});

test('loopback, exempt ranges and Unix sockets are never banned; an IPv6 /64 is banned as one', () => {
  const house = new House();
  house.limits.banExempt = ['private', '198.51.100.0/24'];
  for (const address of ['127.0.0.1', '::1', '192.168.1.9', '::ffff:10.0.0.1', 'fd00::1', '198.51.100.9', '/run/mqtt.sock']) {
    house.fail(address, 20);
    assert.equal(house.isOpenTo(address), true, address);
  }
  house.fail('2001:db8::1', 3);
  assert.equal(house.isOpenTo('2001:db8::ffff:2'), false);
  assert.equal(house.isOpenTo('2001:db8:0:1::2'), true);
  house.limits.banExempt = [];
  house.fail('192.168.1.9', 20);
  assert.equal(house.isOpenTo('192.168.1.9'), false);
}); // prettier-ignore

test('the answer to a wrong password of one user comes later and later, from wherever, and of another at once', () => {
  const house = new House();
  const waits = [1, 2, 3, 4, 5, 6, 7, 8, 9].map(n => house.fail(`198.51.100.${n}`));
  assert.deepEqual(waits, [0, 0, 0, 500, 1000, 2000, 4000, 5000, 5000]);
  assert.equal(house.fail('198.51.100.1', 1, 'bob'), 0);
});

test('a source opens so many connections a second, ten seconds of it at once, and is told of once', () => {
  const house = new House();
  const come = (): number => Array.from({ length: 100 }).filter(() => house.isOpenTo('203.0.113.7')).length;
  assert.equal(come(), 20);
  house.now += 3000;
  assert.equal(come(), 6);
  assert.equal(house.lines.filter(line => line.includes('max_connection_rate')).length, 1);
  assert.equal(house.isOpenTo('203.0.113.8'), true);
  assert.ok(Array.from({ length: 100 }).every(() => house.isOpenTo('192.168.1.1')));
});

test('the operator bans anybody and lifts any ban; a lifted one has its failures forgiven', () => {
  const house = new House();
  assert.equal(house.door.add('127.0.0.1', 60, 'noise'), true);
  assert.equal(house.isOpenTo('127.0.0.1'), false);
  assert.equal(house.door.lift('127.0.0.1'), true);
  assert.equal(house.door.lift('127.0.0.1'), false);
  house.fail('2001:db8::1', 3);
  assert.deepEqual(house.door.list().map(ban => ban.source), ['2001:db8:0:0::/64']); // prettier-ignore
  assert.equal(house.door.lift('2001:db8:0:0::/64'), true);
  house.fail('2001:db8::1', 2);
  assert.equal(house.isOpenTo('2001:db8::1'), true);
});

test('a full list gives up its oldest ban for a new one and says so; bans of the operator stay', () => {
  const house = new House();
  house.door.add('203.0.113.1', 3600, 'mine');
  for (let n = 0; n < 10_050; n++) house.fail(`100.64.${n >> 8}.${n & 255}`, 3, null);
  assert.equal(house.door.list().length, 10_000);
  assert.equal(house.isOpenTo('203.0.113.1'), false);
  assert.equal(house.isOpenTo('100.64.0.0'), true);
  assert.equal(house.isOpenTo('100.64.39.60'), false);
  assert.equal(house.lines.filter(line => line.includes('list of bans is full')).length, 1);
});
