import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseProxyHeader, type ProxyHeader, type ProxyParse } from './proxy-protocol.ts';

const SIGNATURE = '0d0a0d0a000d0a515549540a';

/** command, family and protocol, body */
function v2(command: number, family: number, body: Buffer): Buffer {
  const head = Buffer.from([command, family, body.length >> 8, body.length & 255]);
  return Buffer.concat([Buffer.from(SIGNATURE, 'hex'), head, body]);
}

function tlv(type: number, value: Buffer | string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([type, bytes.length >> 8, bytes.length & 255]), bytes]);
}

function tlsRecord(client: number, verify: number, ...records: Buffer[]): Buffer {
  return tlv(0x20, Buffer.concat([Buffer.from([client, 0, 0, 0, verify]), ...records]));
}

const TCP4 = Buffer.from([192, 0, 2, 7, 192, 0, 2, 1, 0x15, 0xb3, 0x07, 0x5b]);
const TCP6 = Buffer.concat([
  Buffer.from('20010db8000000000000000000000005', 'hex'),
  Buffer.from('20010db8000000000000000000000001', 'hex'),
  Buffer.from([0x15, 0xb3, 0x07, 0x5b]),
]);
const UNIX = Buffer.concat([Buffer.from('/run/client.sock'.padEnd(108, '\0')), Buffer.alloc(108)]);
const FULL_TLS = tlsRecord(0x07, 0, tlv(0x21, 'TLSv1.3'), tlv(0x22, 'alice'), tlv(0x23, 'TLS_AES_256_GCM_SHA384'));

const header = (parse: ProxyParse): ProxyHeader => {
  assert.equal(parse.kind, 'header', JSON.stringify(parse));
  return (parse as { header: ProxyHeader }).header;
};

const GOOD: [string, 1 | 2, Buffer, ProxyHeader['source']][] = [
  ['v1 TCP4', 1, Buffer.from('PROXY TCP4 192.0.2.7 192.0.2.1 5555 1883\r\n'), { address: '192.0.2.7', port: 5555 }],
  [
    'v1 TCP6',
    1,
    Buffer.from('PROXY TCP6 2001:db8::5 2001:db8::1 5555 1883\r\n'),
    { address: '2001:db8::5', port: 5555 },
  ],
  ['v1 UNKNOWN alone, as the specification has it', 1, Buffer.from('PROXY UNKNOWN\r\n'), null],
  ['v1 UNKNOWN with more', 1, Buffer.from('PROXY UNKNOWN ffff::1 whatever\r\n'), null],
  ['v2 TCP4', 2, v2(0x21, 0x11, TCP4), { address: '192.0.2.7', port: 5555 }],
  ['v2 TCP6, shortened', 2, v2(0x21, 0x21, TCP6), { address: '2001:db8::5', port: 5555 }],
  ['v2 Unix with the standard block of 216 bytes', 2, v2(0x21, 0x31, UNIX), { address: '/run/client.sock', port: 0 }],
  [
    'v2 with records nobody knows',
    2,
    v2(0x21, 0x11, Buffer.concat([TCP4, tlv(0xee, 'x'), tlv(0x04, '')])),
    { address: '192.0.2.7', port: 5555 },
  ],
  ['v2 LOCAL with an address', 2, v2(0x20, 0x11, TCP4), { address: '192.0.2.7', port: 5555 }],
];

for (const [what, version, bytes, source] of GOOD) {
  test(`PROXY header accepted: ${what}`, () => {
    const parsed = header(parseProxyHeader(version, Buffer.concat([bytes, Buffer.from('rest')])));
    assert.deepEqual(parsed.source, source);
    assert.equal(parsed.length, bytes.length);
    assert.equal(parsed.local, false);
  });

  test(`PROXY header cut short anywhere asks for more: ${what}`, () => {
    for (let length = 0; length < bytes.length; length++) {
      assert.equal(parseProxyHeader(version, bytes.subarray(0, length)).kind, 'need', `${length} bytes`);
    }
  });
}

const BAD: [string, 1 | 2, Buffer][] = [
  ['v1 lower case', 1, Buffer.from('proxy TCP4 192.0.2.7 192.0.2.1 5555 1883\r\n')],
  ['v1 unknown family', 1, Buffer.from('PROXY UDP4 192.0.2.7 192.0.2.1 5555 1883\r\n')],
  ['v1 with a part missing', 1, Buffer.from('PROXY TCP4 192.0.2.7 192.0.2.1 5555\r\n')],
  ['v1 with a part too many', 1, Buffer.from('PROXY TCP4 192.0.2.7 192.0.2.1 5555 1883 x\r\n')],
  ['v1 with two blanks', 1, Buffer.from('PROXY TCP4  192.0.2.7 192.0.2.1 5555 1883\r\n')],
  ['v1 port 0', 1, Buffer.from('PROXY TCP4 192.0.2.7 192.0.2.1 0 1883\r\n')],
  ['v1 port 65536', 1, Buffer.from('PROXY TCP4 192.0.2.7 192.0.2.1 65536 1883\r\n')],
  ['v1 port with a sign', 1, Buffer.from('PROXY TCP4 192.0.2.7 192.0.2.1 +5555 1883\r\n')],
  ['v1 address of the other family', 1, Buffer.from('PROXY TCP4 2001:db8::5 192.0.2.1 5555 1883\r\n')],
  ['v1 without an end in 108 bytes', 1, Buffer.from(`PROXY UNKNOWN ${'x'.repeat(120)}\r\n`)],
  ['v1 on a listener for v2', 2, Buffer.from('PROXY TCP4 192.0.2.7 192.0.2.1 5555 1883\r\n')],
  ['v2 on a listener for v1', 1, v2(0x21, 0x11, TCP4)],
  ['MQTT instead of v1', 1, Buffer.from('100c00044d51545404', 'hex')],
  ['MQTT instead of v2', 2, Buffer.from('100c00044d51545404', 'hex')],
  ['v2 of version 3', 2, v2(0x31, 0x11, TCP4)],
  ['v2 with an unknown command', 2, v2(0x22, 0x11, TCP4)],
  ['v2 datagram over IPv4', 2, v2(0x21, 0x12, TCP4)],
  ['v2 PROXY without a family', 2, v2(0x21, 0x00, Buffer.alloc(0))],
  ['v2 body too short for its family', 2, v2(0x21, 0x11, TCP4.subarray(1))],
  ['v2 body over 500 bytes', 2, v2(0x21, 0x11, Buffer.concat([TCP4, Buffer.alloc(489)]))],
];

for (const [what, version, bytes] of BAD) {
  test(`PROXY header refused: ${what}`, () => {
    const parse = parseProxyHeader(version, bytes);
    assert.ok(parse.kind === 'fault');
    assert.equal(parse.fault, 'corrupt');
    assert.notEqual(parse.saw, '');
  });
}

test('a v2 record longer than what is left is refused, and the address is still known for the log', () => {
  const parse = parseProxyHeader(2, v2(0x21, 0x11, Buffer.concat([TCP4, Buffer.from([0x04, 0, 9, 1])])));
  assert.ok(parse.kind === 'fault');
  assert.equal(parse.fault, 'corrupt-tlv');
  assert.deepEqual(parse.source, { address: '192.0.2.7', port: 5555 });
});

test('v2 LOCAL without an address is a health check of the proxy', () => {
  assert.equal(header(parseProxyHeader(2, v2(0x20, 0x00, Buffer.alloc(0)))).local, true);
});

test('the TLS record gives version, cipher and common name', () => {
  const parsed = header(parseProxyHeader(2, v2(0x21, 0x11, Buffer.concat([TCP4, FULL_TLS]))));
  assert.deepEqual(parsed.tls, {
    certificateVerified: true,
    version: 'TLSv1.3',
    commonName: 'alice',
    cipher: 'TLS_AES_256_GCM_SHA384',
  });
});

const CLIENT_BYTES: [string, number, number, boolean | null][] = [
  ['certificate in this session, verified', 0x05, 0, true],
  ['certificate on the connection but not in the session', 0x03, 0, false],
  ['certificate that the proxy could not verify', 0x07, 1, false],
  ['TLS without certificate', 0x01, 0, false],
  ['no TLS at all', 0x06, 0, null],
];

for (const [what, client, verify, verified] of CLIENT_BYTES) {
  test(`TLS record: ${what}`, () => {
    const parsed = header(parseProxyHeader(2, v2(0x21, 0x11, Buffer.concat([TCP4, tlsRecord(client, verify)]))));
    assert.equal(parsed.tls === null ? null : parsed.tls.certificateVerified, verified);
  });
}

test('a common name that is not clean UTF-8 counts as none', () => {
  for (const name of [Buffer.from([0xff]), Buffer.from('a\0b'), Buffer.from('a\nb')]) {
    const parsed = header(parseProxyHeader(2, v2(0x21, 0x11, Buffer.concat([TCP4, tlsRecord(5, 0, tlv(0x22, name))]))));
    assert.equal(parsed.tls?.commonName, null);
  }
});

test('a changed byte anywhere gives a header, a fault or a wait, never an exception', () => {
  const vectors = GOOD.map(([, version, bytes]) => ({ version, bytes }));
  vectors.push({ version: 2, bytes: v2(0x21, 0x11, Buffer.concat([TCP4, FULL_TLS])) });
  for (const { version, bytes } of vectors) {
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, byte) => {
        const changed = Buffer.from(bytes);
        changed[at] = byte;
        const parse = parseProxyHeader(version, changed);
        if (parse.kind === 'header') assert.ok(parse.header.length <= changed.length);
      }),
      { numRuns: 300 },
    );
  }
});
