/** PROXY protocol v1 and v2 by the rows of docs/compat/errors-logs.md 5. */
import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { connect, pingreq, RawClient, u16, type Broker, type Place } from '../harness/mod.ts';
import { request, WebPeer } from './upgrade.ts';
import { assertInOrder, rowsAtOnce, shared, start, texts } from './stage.ts';

const confOf =
  (version: 1 | 2, lines = '', globals = 'allow_anonymous true\n') =>
  (at: Place): string =>
    `listener ${at.port()} 127.0.0.1\nenable_proxy_protocol ${version}\n${lines}${globals}`;

function brokerWith(t: TestContext, version: 1 | 2, lines = '', globals?: string): Promise<Broker> {
  return start(t, { conf: confOf(version, lines, globals) });
}

/** Sends this header, then CONNECT; the code of the CONNACK, or null when the broker closes without one. */
async function codeBehind(broker: Broker, header: Buffer | string, fields = {}): Promise<number | null> {
  const client = await RawClient.dial({ port: broker.port });
  client.send(Buffer.from(header), connect({ clientId: 'p', ...fields }));
  const packet = await client.next();
  client.destroy();
  return packet?.reasonCode ?? null;
}

interface Head {
  version?: number;
  command?: number;
  family?: number;
  body: Buffer;
}

const signature = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
const head = ({ version = 2, command = 1, family = 0x11, body }: Head): Buffer =>
  Buffer.concat([signature, Buffer.from([(version << 4) | command, family]), u16(body.length), body]);
const ports = Buffer.concat([u16(5555), u16(1883)]);
const from4 = Buffer.concat([Buffer.from([192, 0, 2, 7, 192, 0, 2, 1]), ports]);
const from6 = Buffer.concat([Buffer.from('20010db8000000000000000000000001'.repeat(2), 'hex'), ports]);
const tlv = (type: number, value: Buffer): Buffer => Buffer.concat([Buffer.from([type]), u16(value.length), value]);

/** The TLS record of HAProxy's header. */
function tlsRecord({ client = 0x05, verify = 0, commonName = 'alice' } = {}): Buffer {
  const value = Buffer.concat([
    Buffer.from([client, 0, 0, 0, verify]),
    tlv(0x21, Buffer.from('TLSv1.3')),
    tlv(0x22, Buffer.from(commonName)),
    tlv(0x23, Buffer.from('TLS_AES_256_GCM_SHA384')),
  ]);
  return tlv(0x20, value);
}

const invalid = 'Client (null) [(null):0] disconnected: bad socket read/write: Invalid input';
const corrupt = 'Connection rejected, corrupt PROXY header.';

describe('PROXY v1', () => {
  const broker = shared({ conf: confOf(1) });
  const good: readonly (readonly [header: string, who: RegExp])[] = [
    ['PROXY TCP4 192.0.2.7 192.0.2.1 5555 1883\r\n', /from 192\.0\.2\.7:5555 as p/],
    ['PROXY TCP6 2001:db8::1 2001:db8::2 5555 1883\r\n', /from 2001:db8::1:5555 as p/],
    ['PROXY UNKNOWN\r\n', /from 127\.0\.0\.1:\d+ as p/],
    ['PROXY UNKNOWN what ever\r\n', /from 127\.0\.0\.1:\d+ as p/],
  ];
  for (const [header, who] of good) {
    test(`${header.trim()} is taken`, async () => {
      const from = broker().lines.length;
      assert.equal(await codeBehind(broker(), header), 0);
      await broker().logged(new RegExp(`New client connected ${who.source} \\(p4, c1, k60\\)`), from);
      assert.doesNotMatch(broker().log, /New connection from/);
    });
  }

  const bad: readonly string[] = [
    'PROXY TCP4 192.0.2.7 192.0.2.1 5555\r\n',
    'PROXY TCP4 192.0.2.7 192.0.2.1 5555 1883 9\r\n',
    'PROXY TCP4 192.0.2.7 192.0.2.1 0 1883\r\n',
    'PROXY TCP4 192.0.2.7 192.0.2.1 70000 1883\r\n',
    'PROXY TCP4 192.0.2.777 192.0.2.1 5555 1883\r\n',
    'PROXY TCP4 2001:db8::1 2001:db8::2 5555 1883\r\n',
    'PROXY TCP6 192.0.2.7 192.0.2.1 5555 1883\r\n',
    'PROXY UDP4 192.0.2.7 192.0.2.1 5555 1883\r\n',
    'proxy TCP4 192.0.2.7 192.0.2.1 5555 1883\r\n',
    `PROXY UNKNOWN ${'x'.repeat(120)}\r\n`,
    '',
  ];
  for (const header of bad) {
    test(`${header.trim().slice(0, 60) || 'none'} is refused`, async () => {
      const from = broker().lines.length;
      assert.equal(await codeBehind(broker(), header), null);
      await broker().logged(/Invalid input$/, from);
      assertInOrder(texts(broker().lines.slice(from)), corrupt, invalid);
    });
  }

  test('a peer that leaves without a header', async t => {
    const broker = await brokerWith(t, 1);
    const client = await RawClient.dial({ port: broker.port });
    client.end();
    await broker.logged(/Client \(null\) \[\(null\):0\] disconnected: connection closed by client\.$/);
  });

  test('a header in pieces, and packets in the same write as its end', async t => {
    const broker = await brokerWith(t, 1);
    const client = await RawClient.dial({ port: broker.port });
    const header = Buffer.from('PROXY TCP4 192.0.2.7 192.0.2.1 5555 1883\r\n');
    for (const byte of header.subarray(0, -1)) client.send(Buffer.from([byte]));
    client.send(header.subarray(-1), connect({ clientId: 'p' }), pingreq());
    assert.equal((await client.expect('connack')).reasonCode, 0);
    await client.expect('pingresp');
  });

  test('max_connections and the log count by the address that was proxied', async t => {
    const broker = await brokerWith(t, 1, 'max_connections 1\n');
    const client = await RawClient.dial({ port: broker.port });
    client.send(Buffer.from('PROXY TCP4 192.0.2.7 192.0.2.1 5555 1883\r\n'), connect({ clientId: 'p' }));
    await client.expect('connack');
    const second = await RawClient.dial({ port: broker.port });
    await second.expectClosed();
    await broker.logged(/denied: max_connections exceeded\./);
    client.destroy();
    await broker.logged(/^\d+: Client p \[192\.0\.2\.7:5555\] disconnected: connection closed by client\.$/);
  });
});

describe('PROXY v2', () => {
  const broker = shared({ conf: confOf(2) });
  const good: readonly (readonly [what: string, header: Buffer, who: string])[] = [
    ['IPv4', head({ body: from4 }), '192\\.0\\.2\\.7:5555'],
    ['IPv6', head({ family: 0x21, body: from6 }), '2001:db8::1:5555'],
    [
      'with records that nobody knows',
      head({ body: Buffer.concat([from4, tlv(0xee, Buffer.from('x'))]) }),
      '192\\.0\\.2\\.7:5555',
    ],
    ['LOCAL with an address', head({ command: 0, body: from4 }), '192\\.0\\.2\\.7:5555'],
  ];
  for (const [what, header, who] of good) {
    test(`${what} is taken`, async () => {
      const from = broker().lines.length;
      assert.equal(await codeBehind(broker(), header), 0);
      await broker().logged(new RegExp(`New client connected from ${who} as p`), from);
      assert.doesNotMatch(broker().log, /New connection from/);
    });
  }

  test('a Unix address of the usual size is taken', async t => {
    const broker = await brokerWith(t, 2);
    const body = Buffer.alloc(216);
    body.write('/run/proxy.sock');
    assert.equal(await codeBehind(broker, head({ family: 0x31, body })), 0);
  });

  test('LOCAL without an address is a health check: closed without a line', async t => {
    const broker = await brokerWith(t, 2);
    const before = broker.lines.length;
    assert.equal(await codeBehind(broker, head({ command: 0, family: 0, body: Buffer.alloc(0) })), null);
    assert.equal(await codeBehind(broker, head({ body: from4 })), 0);
    const next = await broker.logged(/New client connected/, before);
    assert.equal(broker.lines.indexOf(next), before);
  });

  const bad: readonly (readonly [what: string, header: Buffer])[] = [
    ['another signature', Buffer.concat([Buffer.alloc(12), head({ body: from4 }).subarray(12)])],
    ['another version', head({ version: 1, body: from4 })],
    ['another command', head({ command: 2, body: from4 })],
    ['no family, not LOCAL', head({ family: 0, body: from4 })],
    ['an address that is too short', head({ body: from4.subarray(0, 11) })],
    ['an IPv6 address that is too short', head({ family: 0x21, body: from6.subarray(0, 35) })],
    ['a body above 500 bytes', head({ body: Buffer.concat([from4, tlv(0xee, Buffer.alloc(600))]) })],
  ];
  for (const [what, header] of bad) {
    test(`${what} is refused`, async () => {
      const from = broker().lines.length;
      assert.equal(await codeBehind(broker(), header), null);
      await broker().logged(/Invalid input$/, from);
      const said = texts(broker().lines.slice(from));
      assert.ok(said.includes(invalid), said.join('\n'));
      assert.ok(!said.some(line => line.includes('corrupt')), said.join('\n'));
    });
  }

  test('UDP is refused', async t => {
    const broker = await brokerWith(t, 2);
    assert.equal(await codeBehind(broker, head({ family: 0x12, body: from4 })), null);
    await broker.logged(/Client \(null\) \[\(null\):0\] disconnected: /);
  });

  test('a record that runs over the end is refused by the address, without a disconnect line', async t => {
    const broker = await brokerWith(t, 2);
    const cut = tlv(0xee, Buffer.from('abc')).subarray(0, 4);
    assert.equal(await codeBehind(broker, head({ body: Buffer.concat([from4, cut]) })), null);
    await broker.logged(/^\d+: Connection from 192\.0\.2\.7:5555 rejected, corrupt PROXY header\.$/);
    assert.doesNotMatch(broker.log, /disconnected/);
  });

  test('v1 on a v2 listener is refused', async t => {
    const broker = await brokerWith(t, 2);
    assert.equal(await codeBehind(broker, 'PROXY TCP4 192.0.2.7 192.0.2.1 5555 1883\r\n'), null);
    await broker.logged(/disconnected/);
  });

  test('works under WebSocket too', async t => {
    const broker = await brokerWith(t, 2, 'protocol websockets\n');

    const peer = await WebPeer.dial(broker.port);
    peer.send(head({ body: from4 }), request());
    assert.match((await peer.answer())!, /^HTTP\/1\.1 101/);
  });
});

describe('TLS that ended at the proxy', rowsAtOnce, () => {
  const withTls = (record?: Buffer): Buffer => head({ body: record ? Buffer.concat([from4, record]) : from4 });

  test('proxy_protocol_v2_require_tls demands the record', async t => {
    const broker = await brokerWith(t, 2, 'proxy_protocol_v2_require_tls true\n');
    assert.equal(await codeBehind(broker, withTls()), null);
    await broker.logged(/^\d+: Connection from 192\.0\.2\.7:5555 rejected, client did not connect using TLS\.$/);
    assert.equal(await codeBehind(broker, withTls(tlsRecord())), 0);
    await broker.logged(/^\d+: Connection from 192\.0\.2\.7:5555 negotiated TLSv1\.3 cipher TLS_AES_256_GCM_SHA384$/);
  });

  const certificates: readonly (readonly [what: string, record: Buffer, verdict: boolean])[] = [
    ['in this session, verified', tlsRecord(), true],
    ['on this connection alone (bit 0x02)', tlsRecord({ client: 0x03 }), false],
    ['not verified', tlsRecord({ verify: 1 }), false],
    ['none', tlsRecord({ client: 0x01 }), false],
  ];
  for (const [what, record, verdict] of certificates) {
    test(`require_certificate: ${what} is ${verdict ? 'let in' : 'refused'}`, async t => {
      const broker = await brokerWith(t, 2, 'require_certificate true\n');
      assert.equal(await codeBehind(broker, withTls(record)), verdict ? 0 : null);
      if (!verdict)
        await broker.logged(
          /^\d+: Connection from 192\.0\.2\.7:5555 rejected, client did not provide a certificate\.$/,
        );
    });
  }

  const identity = 'require_certificate true\nuse_identity_as_username true\n';

  test('use_identity_as_username with require_certificate: the common name is the user, CONNECT’s is dropped', async t => {
    const broker = await brokerWith(t, 2, identity);
    assert.equal(await codeBehind(broker, withTls(tlsRecord()), { username: 'mallory', password: 'x' }), 0);
    await broker.logged(/u'alice'/);
  });

  test('the login check still runs: no anonymous clients, no password, no entry', async t => {
    const broker = await brokerWith(t, 2, identity, 'allow_anonymous false\n');
    assert.equal(await codeBehind(broker, withTls(tlsRecord())), 5);
  });

  test('without require_certificate the common name is lost', async t => {
    const broker = await brokerWith(t, 2, 'use_identity_as_username true\n');
    assert.equal(await codeBehind(broker, withTls(tlsRecord()), { username: 'mallory' }), 0);
    await broker.logged(/u'mallory'/);
  });
});
