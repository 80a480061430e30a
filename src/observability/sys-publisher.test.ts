import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMeter } from './counters.ts';
import { SysTopics } from './sys-publisher.ts';
import type { Gauges } from './sys-topics.ts';

const atRest: Gauges = {
  sessionsTotal: 0,
  sessionsConnected: 0,
  sessionsDisconnected: 0,
  subscriptions: 0,
  sharedSubscriptions: 0,
  retainedMessages: 0,
  storedMessages: 0,
  storedBytes: 0,
  packetsOutCount: 0,
  packetsOutBytes: 0,
  socketsOpen: 0,
};

/** A broker's $SYS at 1000003 s of unix time; `published` holds what came since it was last taken. */
function start(intervalSeconds = 10) {
  let milliseconds = 1_000_003_000;
  let published = new Map<string, string>();
  const meter = createMeter();
  const gauges = { ...atRest };
  const sys = new SysTopics({
    publish: (topic, payload) => void published.set(topic.replace('$SYS/broker/', ''), payload),
    meter,
    gauges: () => gauges,
    clock: { now: () => milliseconds - 1_000_000_000, wall: () => milliseconds },
    version: '1.2.3',
    intervalSeconds,
  });
  const take = () => {
    const taken = published;
    published = new Map();
    return taken;
  };
  const tick = (seconds: number) => {
    milliseconds += seconds * 1000;
    sys.tickIfDue();
    return take();
  };
  return { sys, meter, gauges, take, tick };
}

test('at the start every topic is published once, loads as 0.00', () => {
  const first = start().take();
  assert.equal(first.get('version'), 'zancudo version 1.2.3');
  assert.equal(first.get('uptime'), '0 seconds');
  assert.equal(first.get('retained messages/count'), '0');
  assert.equal(first.get('load/messages/received/15min'), '0.00');
  assert.equal(first.size, 55 + 11 + 15);
  assert.equal(first.get('$SYS/zancudo/packets/oversize'), '0');
});

test('a tick is due when unix time reaches a multiple of sys_interval', () => {
  const { sys, tick, take } = start();
  take();
  assert.equal(sys.millisecondsToTick(), 7000);
  assert.equal(tick(6).size, 0);
  assert.equal(tick(1).get('uptime'), '7 seconds');
  assert.equal(sys.tickIfDue(), false);
  assert.equal(sys.millisecondsToTick(), 10_000);
});

test('at a tick a value is published only when it is another one, and so is its alias', () => {
  const { gauges, meter, take, tick } = start();
  take();
  assert.equal(tick(7).has('clients/connected'), false);
  gauges.sessionsConnected = 1;
  meter.sessionsExpired = 4;
  const published = tick(10);
  assert.equal(published.get('clients/connected'), '1');
  assert.equal(published.get('clients/active'), '1');
  assert.equal(published.get('clients/expired'), '4');
  assert.equal(tick(10).has('clients/connected'), false);
});

test('clients/maximum appears with the second session and only grows', () => {
  const { gauges, take, tick } = start();
  assert.equal(take().has('clients/maximum'), false);
  const at = (sessions: number) => {
    gauges.sessionsTotal = sessions;
    return tick(10).get('clients/maximum');
  };
  assert.deepEqual([1, 2, 5, 3, 6].map(at), [undefined, '2', '5', undefined, '6']);
});

test('a load is the exponentially weighted average of events per minute', () => {
  const { meter, take, tick } = start();
  take();
  tick(7);
  meter.publishReceived += 100;
  const published = tick(10);
  const expected = (window: number) => (600 + Math.exp(-10 / window) * (0 - 600)).toFixed(2);
  assert.equal(published.get('load/publish/received/1min'), expected(60));
  assert.equal(published.get('load/publish/received/5min'), expected(300));
  assert.equal(published.get('load/publish/received/15min'), expected(900));
});

test('a load that ebbs away is published until it is nearly nothing', () => {
  const { meter, take, tick } = start();
  take();
  meter.bytesSent += 1000;
  let last = Number.NaN;
  for (let n = 0; n < 200; n++) last = Number(tick(10).get('load/bytes/sent/1min') ?? last);
  assert.ok(last < 0.02);
  assert.equal(tick(10).has('load/bytes/sent/1min'), false);
});

test('with sys_interval 0 nothing is published, until a reload turns it on', () => {
  const { sys, take, tick } = start(0);
  assert.equal(take().size, 0);
  assert.equal(tick(60).size, 0);
  assert.equal(sys.millisecondsToTick(), null);
  sys.setInterval(5);
  assert.equal(take().get('uptime'), '60 seconds');
});

test('a clock that is set back does not stop the ticks', () => {
  const { take, tick } = start();
  take();
  assert.ok(tick(-3600).has('uptime'));
});
