import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Broker, dial } from './shared.test.ts';

const V1 = 'PROXY TCP4 192.0.2.7 192.0.2.1 5555 1883\r\n';
const ADDRESSES = 'c0000207c000020115b3075b';

/** A v2 header from hexadecimal: command and family, then the body. */
function v2(start: string, body: string): Buffer {
  const length = (body.length / 2).toString(16).padStart(4, '0');
  return Buffer.from(`0d0a0d0a000d0a515549540a${start}${length}${body}`, 'hex');
}

/** TLS record: client byte, verified, version TLSv1.3, common name "alice", cipher "X". */
function tls(client: string): string {
  const records = `210007${Buffer.from('TLSv1.3').toString('hex')}220005${Buffer.from('alice').toString('hex')}23000158`;
  const value = `${client}00000000${records}`;
  return `20${(value.length / 2).toString(16).padStart(4, '0')}${value}`;
}

test('behind a proxy the peer is the one the header names, and what follows the header is not lost', async t => {
  const broker = new Broker(t);
  const port = await broker.open({ proxyProtocol: 1 });
  const socket = dial(t, port);
  socket.write(V1.slice(0, 9));
  socket.write(`${V1.slice(9)}first bytes`);
  const arrived = await broker.next();
  await broker.until(() => arrived.bytes.length === 11);
  assert.equal(arrived.bytes.toString(), 'first bytes');
  assert.equal(arrived.peer.address, '192.0.2.7');
  assert.equal(arrived.peer.port, 5555);
  assert.equal(arrived.peer.proxied, true);
  assert.doesNotMatch(broker.text, /New connection/);
});

test('PROXY UNKNOWN keeps the address of the socket', async t => {
  const broker = new Broker(t);
  const port = await broker.open({ proxyProtocol: 1 });
  dial(t, port).write('PROXY UNKNOWN\r\n');
  assert.equal((await broker.next()).peer.address, '127.0.0.1');
});

const REFUSED: [string, 1 | 2, Buffer | string, boolean, boolean, RegExp][] = [
  [
    'v1 that is corrupt',
    1,
    'PROXY TCP4 nonsense\r\n',
    false,
    false,
    /Connection rejected, corrupt PROXY header\.\nClient \(null\) \[\(null\):0\] disconnected: bad socket read\/write: Invalid input\n/,
  ],
  [
    'v2 that is corrupt',
    2,
    v2('3111', ADDRESSES),
    false,
    false,
    /on port 0\.\nClient \(null\) \[\(null\):0\] disconnected: bad socket read\/write: Invalid input\n {2}127.*version and command/,
  ],
  [
    'v2 with a broken record',
    2,
    v2('2111', `${ADDRESSES}04ffff`),
    false,
    false,
    /Connection from 192\.0\.2\.7:5555 rejected, corrupt PROXY header\.\n {2}127/,
  ],
  [
    'no TLS where it is required',
    2,
    v2('2111', ADDRESSES),
    true,
    false,
    /Connection from 192\.0\.2\.7:5555 rejected, client did not connect using TLS\./,
  ],
  [
    'no certificate where it is required',
    2,
    v2('2111', ADDRESSES + tls('03')),
    false,
    true,
    /Connection from 192\.0\.2\.7:5555 rejected, client did not provide a certificate\./,
  ],
  [
    'no TLS where a certificate is required',
    2,
    v2('2111', ADDRESSES),
    false,
    true,
    /rejected, client did not provide a certificate\./,
  ],
];

for (const [what, version, header, proxyRequiresTls, requireCertificate, lines] of REFUSED) {
  test(`a PROXY header is refused with Mosquitto's lines and the reason: ${what}`, async t => {
    const broker = new Broker(t);
    const port = await broker.open({ proxyProtocol: version, proxyRequiresTls }, { requireCertificate });
    const socket = dial(t, port).resume();
    const closed = once(socket, 'close');
    socket.write(header);
    await broker.untilLine(lines);
    await closed;
    assert.equal(broker.arrived.length, 0);
  });
}

test("a health check of the proxy's own is closed without a line", async t => {
  const broker = new Broker(t);
  const port = await broker.open({ proxyProtocol: 2 });
  const socket = dial(t, port).resume();
  const closed = once(socket, 'close');
  socket.write(v2('2000', ''));
  await closed;
  await broker.until(() => broker.listeners.connections === 0);
  assert.equal(broker.lines.length, 1);
});

test('a peer that leaves before its header is one of whom nothing is known', async t => {
  const broker = new Broker(t);
  const port = await broker.open({ proxyProtocol: 1 });
  dial(t, port).end();
  await broker.untilLine(
    /Client \(null\) \[\(null\):0\] disconnected: connection closed by client\.\n {2}127.*port probe/,
  );
});

test('with require_certificate the common name of a verified certificate is passed on, and TLS is logged', async t => {
  const broker = new Broker(t);
  const port = await broker.open({ proxyProtocol: 2 }, { requireCertificate: true });
  dial(t, port).write(v2('2111', ADDRESSES + tls('05')));
  const { peer } = await broker.next();
  assert.equal(peer.proxiedCommonName, 'alice');
  assert.match(broker.text, /Connection from 192\.0\.2\.7:5555 negotiated TLSv1\.3 cipher X$/);
});

test('without require_certificate the common name counts for nothing', async t => {
  const broker = new Broker(t);
  const port = await broker.open({ proxyProtocol: 2 });
  dial(t, port).write(v2('2111', ADDRESSES + tls('05')));
  assert.equal((await broker.next()).peer.proxiedCommonName, null);
});
