/** Listeners beside each other, each with its own rules: addresses, Unix sockets, mount points, versions, QoS, aliases. */
import assert from 'node:assert/strict';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { describe, test, type TestContext } from 'node:test';
import { connect, property, publish, RawClient, refusedStart, type Broker } from '../harness/mod.ts';
import { assertInOrder, clientOf, connectCode, Folder, passwordLine, rowsAtOnce, start, texts } from './stage.ts';

/** One anonymous listener with these lines. */
function brokerWith(t: TestContext, lines: string, globals = ''): Promise<Broker> {
  return start(t, {
    conf: at =>
      `listener ${at.port()} 127.0.0.1\n${lines}allow_anonymous true\n${globals}`.replaceAll('{dir}', at.directory),
  });
}

describe('addresses', rowsAtOnce, () => {
  test('without an address both families are served, on sockets of their own', async t => {
    const broker = await start(t, { conf: at => `listener ${at.port()}\nallow_anonymous true\n` });
    await clientOf(broker, { clientId: 'four' }, { host: '127.0.0.1' });
    await clientOf(broker, { clientId: 'six' }, { host: '::1' });
    await broker.logged(/New connection from ::1:\d+ on port \d+\./);
    await broker.logged(/New client connected from ::1:\d+ as six /);
    assert.doesNotMatch(broker.log, /::ffff:/);
  });

  test('socket_domain keeps one family', async t => {
    const broker = await start(t, { conf: at => `listener ${at.port()}\nsocket_domain ipv6\nallow_anonymous true\n` });
    await clientOf(broker, { clientId: 'six' }, { host: '::1' });
    await assert.rejects(RawClient.dial({ port: broker.port, host: '127.0.0.1' }));
  });

  test('a host may be a name; an IPv6 address has no brackets', async t => {
    const broker = await start(t, {
      conf: at => `listener ${at.port()} localhost\nlistener ${at.port(1)} ::1\nallow_anonymous true\n`,
    });
    await clientOf(broker, { clientId: 'name' });
    await clientOf(broker, { clientId: 'six' }, { port: broker.ports[1]!, host: '::1' });
  });

  test('bind_interface serves the addresses of the interface', async t => {
    const broker = await start(t, { conf: at => `listener ${at.port()}\nbind_interface lo\nallow_anonymous true\n` });
    await clientOf(broker, { clientId: 'lo' });
  });

  test('the deprecated port serves everybody everywhere, and nobody without a name', async t => {
    const broker = await start(t, { conf: at => `port ${at.port()}\n` });
    assert.equal(await connectCode(broker, { clientId: 'a' }), 5);
  });
});

describe('a Unix socket', rowsAtOnce, () => {
  const conf = (at: { directory: string }) => `listener 0 ${at.directory}/socket\nallow_anonymous true\n`;

  test('is open to owner and group, and named by its path in the log', async t => {
    const broker = await start(t, { conf });
    const path = `${broker.directory}/socket`;
    assert.equal(statSync(path).mode & 0o777, 0o770);
    const client = await clientOf(broker, { clientId: 'u', version: 5 }, { path });
    await client.expectQuiet();
    client.destroy();
    await broker.logged(/disconnected/);
    assertInOrder(
      texts(broker.lines),
      `New connection from ${path}:0 on port 0.`,
      `New client connected from ${path}:0 as u (p5, c1, k60).`,
      `Client u [${path}:0] disconnected: connection closed by client.`,
    );
  });

  test('that a dead broker left behind is replaced', async t => {
    const folder = new Folder(t);
    const dead = createServer().listen(folder.at('socket'));
    await once(dead, 'listening');
    writeFileSync(folder.at('mosquitto.conf'), conf({ directory: folder.path }) + 'user root\n');
    dead.close();
    const broker = await start(t, { confPath: folder.at('mosquitto.conf') });
    await clientOf(broker, { clientId: 'u' }, { path: folder.at('socket') });
    await broker.stop();
    assert.equal(existsSync(folder.at('socket')), false);
  });
});

describe('mount_point', rowsAtOnce, () => {
  test('stands in front of what its clients say, and is taken away from what they hear', async t => {
    const broker = await start(t, {
      conf: at =>
        `listener ${at.port()} 127.0.0.1\nmount_point site/\nlistener ${at.port(1)} 127.0.0.1\nallow_anonymous true\n`,
    });
    const inside = await clientOf(broker, { clientId: 'in', will: { topic: 'w', payload: 'gone' } });
    const outside = await clientOf(broker, { clientId: 'out' }, { port: broker.ports[1]! });
    await inside.subscribe([['#', 0]]);
    await outside.subscribe([['#', 0]]);
    inside.send(publish({ topic: 'a', payload: '1', retain: true }));
    assert.equal((await outside.expect('publish')).topic, 'site/a');
    assert.equal((await inside.expect('publish')).topic, 'a');
    outside.send(publish({ topic: 'b' }), publish({ topic: 'site/c' }));
    assert.equal((await inside.expect('publish')).topic, 'c');
    assert.equal((await outside.expect('publish')).topic, 'b');
    assert.equal((await outside.expect('publish')).topic, 'site/c');
    await inside.subscribe([['a', 0]]);
    assert.equal((await inside.expect('publish')).topic, 'a');
    inside.destroy();
    assert.equal((await outside.expect('publish')).topic, 'site/w');
  });

  test('stands in front of the filter of a shared subscription', async t => {
    const broker = await brokerWith(t, 'mount_point site/\n');
    const client = await clientOf(broker, { clientId: 'in', version: 5 });
    await client.subscribe([['$share/g/a', 0]]);
    client.send(publish({ version: 5, topic: 'a' }));
    assert.equal((await client.expect('publish')).topic, 'a');
  });

  test('access rules see it', async t => {
    const folder = new Folder(t, { rules: 'topic site/a\ntopic b\n' });
    const broker = await brokerWith(t, 'mount_point site/\n', `acl_file ${folder.at('rules')}\n`);
    const client = await clientOf(broker, { clientId: 'in', version: 5 });
    client.send(publish({ version: 5, topic: 'a', qos: 1 }), publish({ version: 5, topic: 'b', qos: 1, packetId: 2 }));
    assert.notEqual((await client.expect('puback')).reasonCode, 0x87);
    assert.equal((await client.expect('puback')).reasonCode, 0x87);
  });
});

describe('accept_protocol_versions', rowsAtOnce, () => {
  const codes = async (broker: Broker): Promise<number[]> => {
    const all: number[] = [];
    for (const version of [3, 4, 5] as const) all.push(await connectCode(broker, { clientId: 'a', version }));
    return all;
  };
  const rows: readonly (readonly [value: string, codes: readonly number[]])[] = [
    ['3', [0, 1, 0x84]],
    ['4', [1, 0, 0x84]],
    ['5', [1, 1, 0]],
    ['3,5', [0, 1, 0]],
    ['4, 5', [1, 0, 0]],
    ['x', [1, 1, 0x84]],
  ];
  for (const [value, wanted] of rows) {
    test(`${value} → ${wanted.join(' ')}`, async t => {
      const broker = await brokerWith(t, `accept_protocol_versions ${value}\n`);
      assert.deepEqual(await codes(broker), wanted);
    });
  }

  test('the refusal of a v5 client has a property length; the log says why', async t => {
    const broker = await brokerWith(t, 'accept_protocol_versions 4\n');
    const client = await RawClient.dial({ port: broker.port });
    assert.equal((await client.connect({ clientId: 'a', version: 5 })).bytes.toString('hex'), '2003008400');
    await client.expectClosed();
    await broker.logged(
      /disconnected: used disallowed feature \(QoS too high, retain not supported, or bad AUTH method\)\.$/,
    );
  });
});

describe('max_qos', rowsAtOnce, () => {
  for (const max of [0, 1] as const) {
    test(`${max}: told in every v5 CONNACK, subscriptions are capped, more is refused`, async t => {
      const broker = await brokerWith(t, `max_qos ${max}\n`);
      const client = await RawClient.dial({ port: broker.port });
      assert.equal(property(await client.connect({ clientId: 'a', version: 5 }), 'maximumQos'), max);
      assert.deepEqual((await client.subscribe([['a', 2]])).reasonCodes, [max]);
      client.send(publish({ version: 5, topic: 'a', qos: max + 1 }));
      assert.equal((await client.expect('disconnect')).reasonCode, 0x9b);
      await client.expectClosed();
      await broker.logged(/Client a .* disconnected: bad socket read\/write: Requested QoS not supported on server$/);
      const old = await clientOf(broker, { clientId: 'b' });
      old.send(publish({ topic: 'a', qos: max + 1 }));
      await old.expectClosed();
      await broker.logged(/Client b .* disconnected: bad socket read\/write: Invalid input$/);
    });

    test(`${max}: a will above it is refused`, async t => {
      const broker = await brokerWith(t, `max_qos ${max}\n`);
      const will = { topic: 'w', qos: max + 1 };
      assert.equal(await connectCode(broker, { clientId: 'a', version: 5, will }), 0x9b);
      const old = await RawClient.dial({ port: broker.port });

      old.send(connect({ clientId: 'b', will }));
      await old.expectClosed();
    });
  }

  test('a refused v5 CONNECT has the property too', async t => {
    const broker = await brokerWith(t, 'max_qos 1\naccept_protocol_versions 4\n');
    const client = await RawClient.dial({ port: broker.port });
    assert.equal((await client.connect({ clientId: 'a', version: 5 })).bytes.toString('hex'), '20050084022401');
  });
});

describe('topic aliases', rowsAtOnce, () => {
  test('max_topic_alias is told; a larger alias is refused with 0x94', async t => {
    const broker = await brokerWith(t, 'max_topic_alias 2\n');
    const client = await RawClient.dial({ port: broker.port });
    assert.equal(property(await client.connect({ clientId: 'a', version: 5 }), 'topicAliasMaximum'), 2);
    client.send(publish({ version: 5, topic: 'a', properties: [['topicAlias', 3]] }));
    assert.equal((await client.expect('disconnect')).reasonCode, 0x94);
    await broker.logged(/Client a .* disconnected: topic alias invalid\.$/);
  });

  test('max_topic_alias 0 leaves the property out', async t => {
    const broker = await brokerWith(t, 'max_topic_alias 0\n');
    const client = await RawClient.dial({ port: broker.port });
    assert.equal(property(await client.connect({ clientId: 'a', version: 5 }), 'topicAliasMaximum'), undefined);
  });

  for (const [ours, theirs, wanted] of [
    [1, 10, ['alias 1', 'none']],
    [10, 1, ['alias 1', 'none']],
    [0, 10, ['none', 'none']],
  ] as const) {
    test(`max_topic_alias_broker ${ours}, client's maximum ${theirs}: ${wanted.join(', ')}`, async t => {
      const broker = await brokerWith(t, `max_topic_alias_broker ${ours}\n`);
      const reader = await clientOf(broker, {
        clientId: 'r',
        version: 5,
        properties: [['topicAliasMaximum', theirs]],
      });
      await reader.subscribe([['#', 0]]);
      reader.send(publish({ version: 5, topic: 'a' }), publish({ version: 5, topic: 'b' }));
      const got = [];
      for (let i = 0; i < 2; i++) {
        const alias = property(await reader.expect('publish'), 'topicAlias');
        got.push(typeof alias === 'number' ? `alias ${alias}` : 'none');
      }
      assert.deepEqual(got, wanted);
    });
  }
});

describe('rules of one listener do not touch another', rowsAtOnce, () => {
  test('listener_allow_anonymous beats allow_anonymous both ways', async t => {
    const broker = await start(t, {
      conf: at =>
        `listener ${at.port()} 127.0.0.1\nlistener_allow_anonymous true\n` +
        `listener ${at.port(1)} 127.0.0.1\n` +
        `listener ${at.port(2)} 127.0.0.1\nlistener_allow_anonymous false\nallow_anonymous false\n`,
    });
    const codes = [];
    for (const port of broker.ports) codes.push(await connectCode(broker, { clientId: 'a' }, { port }));
    assert.deepEqual(codes, [0, 5, 5]);
    const other = await start(t, {
      conf: at =>
        `allow_anonymous true\nlistener ${at.port()} 127.0.0.1\n` +
        `listener ${at.port(1)} 127.0.0.1\nlistener_allow_anonymous false\n`,
    });
    assert.equal(await connectCode(other, { clientId: 'a' }), 0);
    assert.equal(await connectCode(other, { clientId: 'a' }, { port: other.ports[1]! }), 5);
  });

  test('per_listener_settings: passwords, rules and anonymous clients belong to the listener above them', async t => {
    const folder = new Folder(t, {
      one: passwordLine('alice', 'one'),
      two: passwordLine('alice', 'two'),
      rules: 'user alice\ntopic a\n',
    });
    const broker = await start(t, {
      conf: at =>
        'per_listener_settings true\n' +
        `listener ${at.port()} 127.0.0.1\npassword_file ${folder.at('one')}\n` +
        `listener ${at.port(1)} 127.0.0.1\npassword_file ${folder.at('two')}\nacl_file ${folder.at('rules')}\nallow_zero_length_clientid false\n` +
        `listener ${at.port(2)} 127.0.0.1\nallow_anonymous true\nauto_id_prefix mine-\n`,
    });
    const [first, second, third] = broker.ports;
    const alice = (password: string) => ({ clientId: 'a', username: 'alice', password });
    assert.equal(await connectCode(broker, alice('one'), { port: first! }), 0);
    assert.equal(await connectCode(broker, alice('two'), { port: first! }), 5);
    assert.equal(await connectCode(broker, alice('one'), { port: second! }), 5);
    assert.equal(await connectCode(broker, { clientId: 'n' }, { port: first! }), 5);
    assert.equal(await connectCode(broker, { clientId: 'n' }, { port: third! }), 0);
    const restricted = await clientOf(broker, { ...alice('two'), version: 5 }, { port: second! });
    restricted.send(publish({ version: 5, topic: 'b', qos: 1 }));
    assert.equal((await restricted.expect('puback')).reasonCode, 0x87);
    const free = await clientOf(broker, { ...alice('one'), version: 5 }, { port: first! });
    free.send(publish({ version: 5, topic: 'b', qos: 1 }));
    assert.equal((await free.expect('puback')).reasonCode, 0x10);
    assert.equal(await connectCode(broker, { ...alice('two'), clientId: '', version: 5 }, { port: second! }), 0x80);
    const named = await RawClient.dial({ port: third! });
    const connack = await named.connect({ clientId: '', version: 5 });
    assert.match(property(connack, 'assignedClientIdentifier') as string, /^mine-/);
  });

  test('per_listener_settings: these options before any listener are refused', async () => {
    const { code, log } = await refusedStart({ conf: 'per_listener_settings true\nallow_anonymous true\n' });
    assert.equal(code, 3, log);
  });

  test('listener_auto_id_prefix names the clients of its listener', async t => {
    const broker = await brokerWith(t, 'listener_auto_id_prefix here-\n');
    const client = await RawClient.dial({ port: broker.port });
    const connack = await client.connect({ clientId: '', version: 5 });
    assert.match(property(connack, 'assignedClientIdentifier') as string, /^here-[0-9A-F]{8}-/);
  });

  test('use_username_as_clientid: the name is the id; without a name 5, or 0x87', async t => {
    const broker = await brokerWith(t, 'use_username_as_clientid true\n');
    await clientOf(broker, { clientId: 'x', username: 'alice' });
    await broker.logged(/as alice \(p4/);
    assert.equal(await connectCode(broker, { clientId: 'x' }), 5);
    assert.equal(await connectCode(broker, { clientId: 'x', version: 5 }), 0x87);
  });

  test('messages and sessions are shared between listeners', async t => {
    const broker = await start(t, {
      conf: at => `listener ${at.port()} 127.0.0.1\nlistener ${at.port(1)} 127.0.0.1\nallow_anonymous true\n`,
    });
    const first = await clientOf(broker, { clientId: 's', version: 5 });
    const second = await clientOf(broker, { clientId: 's', version: 5 }, { port: broker.ports[1]! });
    assert.equal((await first.expect('disconnect')).reasonCode, 0x8e);
    await first.expectClosed();
    await broker.logged(/Client s .* disconnected: session taken over\.$/);
    await second.expectQuiet();
  });
});
