/** Whatever can grow has a bound, a consequence, a counter and a line in the log. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { connect as dialPlain } from 'node:net';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, test, type TestContext } from 'node:test';
import {
  acknowledgement,
  connect,
  packet,
  pingreq,
  property,
  publish,
  RawClient,
  text,
  until,
  u16,
  type Broker,
} from '../harness/mod.ts';
import { clientOf, connectCode, rowsAtOnce, start, texts } from './stage.ts';

function brokerWith(t: TestContext, lines: string): Promise<Broker> {
  return start(t, { conf: at => `listener ${at.port()} 127.0.0.1\n${lines}allow_anonymous true\n` });
}

/** The value of a counter as $SYS shows it, once it pleases. */
async function counter(broker: Broker, topic: string, pleases: (value: number) => boolean): Promise<number> {
  const client = await clientOf(broker, { clientId: `watch-${Math.random()}` });
  await client.subscribe([[`$SYS/broker/${topic}`, 0]]);
  for (;;) {
    const value = Number((await client.expect('publish')).payload);
    if (pleases(value)) return value;
  }
}

describe('connections', rowsAtOnce, () => {
  for (const [option, lines] of [
    ['max_connections', 'max_connections 2\n'],
    ['global_max_connections', 'global_max_connections 2\n'],
  ] as const) {
    test(`${option}: one more is closed before any MQTT, and a place that is free is given again`, async t => {
      const broker = await brokerWith(t, lines);
      const first = await clientOf(broker, { clientId: 'a' });
      await clientOf(broker, { clientId: 'b' });
      const third = await RawClient.dial({ port: broker.port });
      await third.expectClosed();
      await broker.logged(/^\d+: Client connection from 127\.0\.0\.1 denied: max_connections exceeded\.$/);
      first.destroy();
      await broker.logged(/Client a .*disconnected/);
      await until('the place', () =>
        connectCode(broker, { clientId: 'c' }).then(
          code => code === 0,
          () => false,
        ),
      );
    });
  }

  test('max_connections 0 and below is no limit', async t => {
    const broker = await brokerWith(t, 'max_connections 0\n');
    await clientOf(broker, { clientId: 'a' });
    await clientOf(broker, { clientId: 'b' });
  });

  test('global_max_clients: a new id is refused, 0x89 for v5; a known one still gets in', async t => {
    const broker = await brokerWith(t, 'global_max_clients 2\n');
    const kept = await clientOf(broker, { clientId: 'kept', clean: false });
    kept.destroy();
    await broker.logged(/Client kept .*disconnected/);
    await clientOf(broker, { clientId: 'b' });
    assert.equal(await connectCode(broker, { clientId: 'c', version: 5 }), 0x89);
    const old = await RawClient.dial({ port: broker.port });
    old.send(connect({ clientId: 'd' }));
    await old.expectClosed();
    await broker.logged(/Client [cd] .*disconnected: server busy\.$/);
    assert.equal(await connectCode(broker, { clientId: 'kept', clean: false }), 0);
  });

  test('max_pending_connections: those that say nothing do not keep everybody out for ever', async t => {
    const broker = await brokerWith(t, 'max_pending_connections 3\nconnect_timeout 1\n');
    // All at once, so that the first is still there when the last comes; which of them is the fourth does not matter.
    const silent = await Promise.all([1, 2, 3, 4].map(() => RawClient.dial({ port: broker.port })));
    await broker.logged(/denied|pending/);
    for (const client of silent) await client.expectClosed();
    await clientOf(broker, { clientId: 'a' });
  });

  test('connect_timeout: who sends no CONNECT is closed, with the address as its name', async t => {
    const broker = await brokerWith(t, 'connect_timeout 1\n');
    const silent = await RawClient.dial({ port: broker.port });
    await silent.expectClosed();
    await broker.logged(/^\d+: Client 127\.0\.0\.1 \[127\.0\.0\.1:\d+\] disconnected: exceeded timeout\.$/);
    const slow = await RawClient.dial({ port: broker.port });
    slow.send(connect({ clientId: 'a' }).subarray(0, 5));
    await slow.expectClosed();
  });

  test('keep alive: who is silent for half as long again is closed without a packet, and the will is said', async t => {
    const broker = await brokerWith(t, '');
    const reader = await clientOf(broker, { clientId: 'r' });
    await reader.subscribe([['w', 0]]);
    const silent = await clientOf(broker, { clientId: 's', version: 5, keepAliveSeconds: 1, will: { topic: 'w' } });
    await silent.expectClosed();
    await broker.logged(/^\d+: Client s \[127\.0\.0\.1:\d+\] disconnected: exceeded timeout\.$/);
    assert.equal((await reader.expect('publish')).topic, 'w');
  });

  test('max_keepalive: told to v5 clients, also for 0; older ones that want more, or 0, are refused', async t => {
    const broker = await brokerWith(t, 'max_keepalive 10\n');
    for (const [keepAliveSeconds, told] of [
      [0, 10],
      [11, 10],
      [10, undefined],
    ] as const) {
      const client = await RawClient.dial({ port: broker.port });
      const connack = await client.connect({ clientId: 'a', version: 5, keepAliveSeconds });
      assert.equal(property(connack, 'serverKeepAlive'), told);
    }
    for (const [keepAliveSeconds, code] of [
      [0, 2],
      [11, 2],
      [10, 0],
    ] as const) {
      assert.equal(await connectCode(broker, { clientId: 'a', keepAliveSeconds }), code, `${keepAliveSeconds}`);
    }
  });
});

describe('sizes', rowsAtOnce, () => {
  test('max_packet_size: told to v5 clients; more is refused as soon as the header is read', async t => {
    const broker = await brokerWith(t, 'max_packet_size 100\n');
    const client = await RawClient.dial({ port: broker.port });
    assert.equal(property(await client.connect({ clientId: 'a', version: 5 }), 'maximumPacketSize'), 100);
    client.send(publish({ version: 5, topic: 'a', payload: 'x'.repeat(94), qos: 0 }));
    await client.expectQuiet();
    client.send(Buffer.from([0x30, 99]));
    assert.equal((await client.expect('disconnect')).reasonCode, 0x95);
    await client.expectClosed();
    await broker.logged(/^\d+: Client a \[.*\] disconnected: oversize packet\.$/);
    const old = await clientOf(broker, { clientId: 'b' });
    old.send(Buffer.from([0x30, 99]));
    await old.expectClosed();
    await broker.logged(/^\d+: Client b \[.*\] disconnected: oversize packet\.$/);
  });

  test('a CONNECT of more than 100000 bytes is closed', async t => {
    const broker = await brokerWith(t, '');
    const client = await RawClient.dial({ port: broker.port });
    client.send(connect({ clientId: 'a', username: 'u'.repeat(60_000), password: 'p'.repeat(60_000) }));
    await client.expectClosed();
    await broker.logged(/disconnected/);
  });

  test('message_size_limit: 0x95 for v5, an ordinary acknowledgement for others; nobody gets the message', async t => {
    const broker = await brokerWith(t, 'message_size_limit 5\n');
    const client = await clientOf(broker, { clientId: 'a', version: 5 });
    await client.subscribe([['#', 0]]);
    client.send(publish({ version: 5, topic: 'a', payload: '123456', qos: 1 }));
    assert.equal((await client.expect('puback')).reasonCode, 0x95);
    client.send(publish({ version: 5, topic: 'a', payload: '123456', qos: 2 }));
    assert.equal((await client.expect('pubrec')).reasonCode, 0x95);
    const old = await clientOf(broker, { clientId: 'b' });
    old.send(publish({ topic: 'a', payload: '123456', qos: 1 }));
    assert.equal((await old.expect('puback')).bytes.toString('hex'), '40020001');
    await client.expectQuiet();
    assert.equal(await connectCode(broker, { clientId: 'c', will: { topic: 'w', payload: '123456' } }), 5);
    assert.equal(
      await connectCode(broker, { clientId: 'c', version: 5, will: { topic: 'w', payload: '123456' } }),
      0x95,
    );
  });

  test('a packet above the maximum of a v5 client is not sent to it, and said in the log', async t => {
    const broker = await brokerWith(t, '');
    const client = await clientOf(broker, { clientId: 'a', version: 5, properties: [['maximumPacketSize', 30]] });
    await client.subscribe([['a', 1]]);
    const writer = await clientOf(broker, { clientId: 'w' });
    writer.send(publish({ topic: 'a', payload: 'x'.repeat(40) }), publish({ topic: 'a', payload: 'small' }));
    assert.equal((await client.expect('publish')).payload!.toString(), 'small');
    await broker.logged(/^\d+: Dropping too large outgoing PUBLISH for a \(\d+ bytes\)$/);
  });

  test('topics: 200 slashes and no more', async t => {
    const broker = await brokerWith(t, '');
    const client = await clientOf(broker, { clientId: 'a', version: 5 });
    client.send(publish({ version: 5, topic: '/'.repeat(200), qos: 1 }));
    await client.expect('puback');
    client.send(publish({ version: 5, topic: '/'.repeat(201), qos: 1 }));
    assert.equal((await client.expect('disconnect')).reasonCode, 0x81);
  });

  test('acknowledgements of more than 10000 bytes are closed without a word', async t => {
    const broker = await brokerWith(t, '');
    const client = await clientOf(broker, { clientId: 'a', version: 5 });
    const pair = Buffer.concat([Buffer.from([0x26]), text('k'), text('v'.repeat(10_500))]);
    const length = Buffer.from([(pair.length & 0x7f) | 0x80, pair.length >> 7]);
    client.send(packet('puback', 0, Buffer.concat([u16(1), Buffer.from([0]), length, pair])));
    await client.expectClosed();
  });
});

describe('queues', rowsAtOnce, () => {
  /** Publishes n messages at QoS 1 with their number as payload. */
  async function publishMany(broker: Broker, n: number, payload = ''): Promise<void> {
    const writer = await clientOf(broker, { clientId: 'w' });
    for (let i = 1; i <= n; i++) {
      writer.send(publish({ topic: 'a', qos: 1, packetId: i, payload: `${i}${payload}` }));
      await writer.expect('puback');
    }
    writer.destroy();
  }

  async function away(broker: Broker): Promise<void> {
    const client = await clientOf(broker, { clientId: 'q', clean: false });
    await client.subscribe([['a', 1]]);
    client.destroy();
    await broker.logged(/Client q .*disconnected/);
  }

  /** Acknowledges whatever waits until a ping is answered at once. */
  async function payloadsAfterReturn(broker: Broker): Promise<string[]> {
    const client = await clientOf(broker, { clientId: 'q', clean: false });
    const payloads: string[] = [];
    for (let before = -1; before < payloads.length;) {
      before = payloads.length;
      client.send(pingreq());
      for (let next = await client.next(); next?.type === 'publish'; next = await client.next()) {
        payloads.push(next.payload!.toString());
        client.send(acknowledgement('puback', next.packetId!));
      }
    }
    return payloads;
  }

  test('max_queued_messages: the oldest are kept for who is away, the rest is dropped and counted, and said once', async t => {
    const broker = await brokerWith(t, 'max_queued_messages 5\nsys_interval 1\n');
    await away(broker);
    await publishMany(broker, 8);
    assert.deepEqual(await payloadsAfterReturn(broker), ['1', '2', '3', '4', '5']);
    const said = texts(broker.lines).filter(line => line === 'Outgoing messages are being dropped for client q.');
    assert.equal(said.length, 1);
    assert.equal(await counter(broker, 'publish/messages/dropped', value => value >= 3), 3);
  });

  test('max_queued_bytes counts payload', async t => {
    const broker = await brokerWith(t, 'max_queued_bytes 250\n');
    await away(broker);
    await publishMany(broker, 8, 'x'.repeat(99));
    assert.equal((await payloadsAfterReturn(broker)).length, 2);
  });

  test('QoS 0 for who is away is dropped, unless queue_qos0_messages keeps it within the limit', async t => {
    for (const [lines, wanted] of [
      ['', 0],
      ['queue_qos0_messages true\nmax_queued_messages 3\n', 3],
    ] as const) {
      const broker = await brokerWith(t, lines);
      await away(broker);
      const writer = await clientOf(broker, { clientId: 'w' });
      for (let i = 0; i < 5; i++) writer.send(publish({ topic: 'a', payload: `${i}` }));
      await writer.expectQuiet();
      const back = await clientOf(broker, { clientId: 'q', clean: false });
      for (let i = 0; i < wanted; i++) assert.equal((await back.expect('publish')).payload!.toString(), `${i}`);
      await back.expectQuiet();
    }
  });

  test('max_inflight_messages: told as receive maximum, kept towards clients, refused beyond', async t => {
    const broker = await brokerWith(t, 'max_inflight_messages 2\n');
    const client = await RawClient.dial({ port: broker.port });
    assert.equal(property(await client.connect({ clientId: 'a', version: 5 }), 'receiveMaximum'), 2);
    await client.subscribe([['a', 1]]);
    await publishMany(broker, 4);
    const first = await client.expect('publish');
    await client.expect('publish');
    await client.expectQuiet();
    client.send(acknowledgement('puback', first.packetId!));
    await client.expect('publish');
    await client.expectQuiet();
    for (let id = 1; id <= 3; id++) client.send(publish({ version: 5, topic: 'b', qos: 2, packetId: id }));
    assert.equal((await client.expect('pubrec')).reasonCode, 0);
    assert.equal((await client.expect('pubrec')).reasonCode, 0);
    assert.equal((await client.expect('pubrec')).reasonCode, 0x97);
    await broker.logged(
      /Client a has exceeded its receive-maximum quota\. This behaviour must be fixed on the client\./,
    );
  });

  test('max_inflight_bytes: at least one message is always on its way', async t => {
    const broker = await brokerWith(t, 'max_inflight_bytes 150\n');
    const client = await clientOf(broker, { clientId: 'a', version: 5 });
    await client.subscribe([['a', 1]]);
    await publishMany(broker, 3, 'x'.repeat(200));
    const first = await client.expect('publish');
    await client.expectQuiet();
    client.send(acknowledgement('puback', first.packetId!));
    await client.expect('publish');
  });

  test('persistent_client_expiration is checked at the start, and caps what v5 clients ask for', async t => {
    const broker = await brokerWith(t, 'persistent_client_expiration 1s\n');
    const client = await clientOf(broker, { clientId: 'old', clean: false });
    const five = await clientOf(broker, {
      clientId: 'five',
      version: 5,
      properties: [['sessionExpiryInterval', 1000]],
    });
    client.destroy();
    five.destroy();
    await broker.logged(/^\d+: Expiring client old due to timeout\.$/);
    await broker.logged(/^\d+: Expiring client five due to timeout\.$/);
  });
});

describe('a peer that does not read', rowsAtOnce, () => {
  /** Resident memory of the broker in MiB. */
  const resident = (broker: Broker): number => {
    const kib = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${broker.process.pid}/status`, 'utf8'))?.[1];
    return Number(kib) / 1024;
  };

  test('costs bounded memory; the others go on; what is dropped is counted and said', async t => {
    const broker = await brokerWith(t, 'sys_interval 1\nmax_queued_messages 100\n');
    const deaf = dialPlain(broker.port, '127.0.0.1');
    t.after(() => deaf.destroy());
    await once(deaf, 'connect');
    deaf.write(connect({ clientId: 'deaf' }));
    await once(deaf, 'data');
    deaf.pause();
    deaf.write(Buffer.from('8206000100016100', 'hex'));
    const reader = await clientOf(broker, { clientId: 'reader' });
    await reader.subscribe([['a', 0]]);
    const writer = await clientOf(broker, { clientId: 'writer' });
    const before = resident(broker);
    const payload = 'x'.repeat(20_000);
    for (let i = 0; i < 10_000; i++) {
      writer.send(publish({ topic: 'a', payload }));
      await reader.expect('publish');
    }
    assert.ok(
      resident(broker) - before < 100,
      `${before} MiB before, ${resident(broker)} MiB after 200 MB to a deaf client`,
    );
    await broker.logged(/Outgoing messages are being dropped for client deaf\.|Client deaf .*disconnected/);
    await writer.expectQuiet();
  });

  test('keeps its QoS 1 messages in its session', async t => {
    const broker = await brokerWith(t, '');
    const deaf = await clientOf(broker, { clientId: 'deaf', clean: false });
    await deaf.subscribe([['a', 1]]);
    const writer = await clientOf(broker, { clientId: 'writer' });
    for (let i = 1; i <= 30; i++) {
      writer.send(publish({ topic: 'a', qos: 1, packetId: i, payload: `${i}` }));
      await writer.expect('puback');
    }
    deaf.destroy();
    await broker.logged(/Client deaf .*disconnected/);
    const back = await clientOf(broker, { clientId: 'deaf', clean: false });
    for (let i = 1; i <= 30; i++) {
      const next = await back.expect('publish');
      assert.equal(next.payload!.toString(), `${i}`);
      back.send(acknowledgement('puback', next.packetId!));
    }
  });

  test('a flood of connections that are cut again leaves nothing behind', async t => {
    const broker = await brokerWith(t, 'sys_interval 1\n');
    for (let i = 0; i < 200; i++) {
      const client = await RawClient.dial({ port: broker.port });
      client.send(connect({ clientId: `c${i}` }));
      client.destroy();
    }
    await pause(50);
    assert.equal(await counter(broker, 'clients/connected', value => value === 1), 1);
  });
});
