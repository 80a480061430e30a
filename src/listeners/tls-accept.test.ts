import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { after, before, describe, test, type TestContext } from 'node:test';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import type { ListenerSetOptions } from './options.ts';
import { Broker, CertificateDirectory, Program, dial, listenerOptions, missing, tlsOptions } from './shared.test.ts';

const CONNECT = Buffer.from('100d00044d5154540402003c000161', 'hex');
const noOpenssl = missing('openssl', 'version');
const noMosquitto = missing('mosquitto_sub');

describe('TLS listeners', { skip: noOpenssl }, () => {
  let certificates: CertificateDirectory;

  before(() => {
    certificates = new CertificateDirectory();
    const client = 'extendedKeyUsage=clientAuth';
    certificates.authority('stranger-ca', '/CN=Stranger CA');
    certificates.leaf('stranger', '/CN=stranger', client, 'stranger-ca');
    certificates.leaf('expired', '/CN=expired', client, 'ca', ['20200101000000Z', '20200201000000Z']);
    certificates.leaf('future', '/CN=future', client, 'ca', ['20900101000000Z', '20910101000000Z']);
    certificates.leaf('revoked', '/CN=revoked', client);
    certificates.revoke('revoked');
    certificates.list();
  });
  after(() => certificates.remove());

  const pem = (name: string): { cert: Buffer; key: Buffer } => ({
    cert: readFileSync(certificates.file(`${name}.crt`)),
    key: readFileSync(certificates.file(`${name}.key`)),
  });

  function client(t: TestContext, port: number, options: ConnectionOptions = {}): TLSSocket {
    const ca = readFileSync(certificates.file('ca.crt'));
    const socket = connectTls({ port, host: '127.0.0.1', ca, ...options });
    socket.on('error', () => {});
    t.after(() => socket.destroy());
    return socket;
  }

  const sClient = (t: TestContext, port: number, ...args: string[]): Program =>
    new Program(t, 'openssl', 's_client', '-connect', `127.0.0.1:${port}`, '-quiet', ...args);

  const mutual = (broker: Broker, changes: Parameters<typeof tlsOptions>[1] = {}): Promise<number> =>
    broker.open({ tls: tlsOptions(certificates, changes) }, { requireCertificate: true });

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    test(`${version}: bytes go both ways and the peer is known by version, cipher and certificate`, async t => {
      const broker = new Broker(t);
      const port = await mutual(broker);
      const socket = client(t, port, { ...pem('alice'), maxVersion: version });
      socket.write(CONNECT);
      const arrived = await broker.next();
      await broker.until(() => arrived.bytes.equals(CONNECT));
      arrived.link.write(Buffer.from('answer'), 0, 6);
      const [answer] = (await once(socket, 'data')) as [Buffer];
      assert.equal(answer.toString(), 'answer');
      assert.equal(arrived.peer.tls?.version, version);
      assert.match(arrived.peer.tls?.cipher ?? '', /GCM|CHACHA/);
      assert.equal(arrived.peer.refusal, null);
      assert.equal(arrived.peer.certificate?.commonName, 'alice');
      assert.equal(arrived.peer.certificate.subject, 'CN=alice,O=Org');
      assert.match(broker.lines[1]!.text, /^New connection from 127\.0\.0\.1:\d+ on port 0\.$/);
    });
  }

  const REFUSED: [string, string, Parameters<typeof tlsOptions>[1], RegExp, RegExp][] = [
    ['a certificate of a CA that is not ours', 'stranger', {}, /unknown-ca/, /stranger.*Stranger CA/],
    ['an expired certificate', 'expired', {}, /expired/, /expired/],
    ['a certificate of the future', 'future', {}, /not-yet-valid/, /clock/],
    ["a server's certificate", 'server', {}, /purpose/, /clientAuth/],
    ['a revoked certificate', 'revoked', { crlFile: 'crl.pem' }, /revoked/, /revoked/],
  ];

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    for (const [what, name, changes, code, line] of REFUSED) {
      test(`${version}: ${what} reaches the heart as a refusal, with the reason in the log`, async t => {
        const broker = new Broker(t);
        const crlFile = changes?.crlFile ? certificates.file(changes.crlFile) : null;
        const port = await mutual(broker, { crlFile });
        client(t, port, { ...pem(name), maxVersion: version }).write(CONNECT);
        const { peer } = await broker.next();
        assert.match(peer.refusal?.code ?? '', code);
        assert.notEqual(peer.refusal?.reason, '');
        assert.match(broker.text, /error\[0\]: error:0A000086:SSL routines::certificate verify failed/);
        assert.match(broker.text, /127\.0\.0\.1:\d+ on port 8883: /);
        assert.match(broker.text, line);
        assert.equal(broker.meter.tlsRefused, 1);
      });
    }
  }

  const nobodyKnows = (): never => {
    throw new Error('not asked');
  };

  const BROKEN_JUDGES: [string, Partial<ListenerSetOptions>, string, boolean][] = [
    ['OpenSSL alone refuses, our judge lets everything pass', { judge: () => null }, 'stranger', true],
    [
      'our judge alone refuses, OpenSSL is content',
      { judge: () => ({ code: 'x', reason: 'x', log: 'x', remedy: [] }) },
      'alice',
      true,
    ],
    ['both are content', { judge: () => null, judgementOfOpenssl: nobodyKnows }, 'alice', false],
  ];

  for (const [what, judges, name, refused] of BROKEN_JUDGES) {
    test(`neither judge alone lets a certificate pass: ${what}`, async t => {
      const broker = new Broker(t, judges);
      const port = await mutual(broker);
      client(t, port, pem(name)).write(CONNECT);
      const { peer } = await broker.next();
      assert.equal(peer.refusal !== null, refused);
    });
  }

  test('disable_client_cert_date_checks forgives dates and nothing else', async t => {
    const broker = new Broker(t);
    const port = await mutual(broker, { forgiveDates: true });
    client(t, port, pem('expired')).write(CONNECT);
    assert.equal((await broker.next(1)).peer.refusal, null);
    client(t, port, pem('stranger')).write(CONNECT);
    assert.match((await broker.next(2)).peer.refusal?.code ?? '', /unknown-ca/);
  });

  test('a CA whose own CA has no revocation list still serves its clients, and still refuses the revoked', async t => {
    certificates.authority('root', '/CN=Root');
    certificates.leaf(
      'issuing',
      '/CN=Issuing',
      'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign',
      'root',
    );
    certificates.leaf('carol', '/CN=carol', 'extendedKeyUsage=clientAuth', 'issuing');
    certificates.leaf('dave', '/CN=dave', 'extendedKeyUsage=clientAuth', 'issuing');
    certificates.revoke('dave', 'issuing');
    certificates.list('issuing', 'issuing.crl');
    const both = ['root', 'issuing'].map(name => readFileSync(certificates.file(`${name}.crt`), 'utf8')).join('');
    writeFileSync(certificates.file('both.crt'), both);
    const broker = new Broker(t);
    const port = await mutual(broker, {
      caFile: certificates.file('both.crt'),
      crlFile: certificates.file('issuing.crl'),
    });
    client(t, port, pem('carol')).write(CONNECT);
    assert.equal((await broker.next(1)).peer.refusal, null);
    client(t, port, pem('dave')).write(CONNECT);
    assert.match((await broker.next(2)).peer.refusal?.code ?? '', /revoked/);
  });

  for (const version of ['-tls1_2', '-tls1_3']) {
    test(`${version}: a client without the certificate that is required gets OpenSSL's alert`, async t => {
      const broker = new Broker(t);
      const port = await mutual(broker);
      const program = sClient(t, port, version);
      await program.ended;
      assert.match(program.output, /alert (certificate required|handshake failure)/);
      await broker.untilLine(/disconnected: Protocol error\.[^]*requires a client certificate/);
      assert.match(broker.text, /error:0A0000C7:SSL routines::peer did not return a certificate/);
      assert.equal(broker.arrived.length, 0);
    });
  }

  test('without a CA of ours no public CA is trusted in its place', async t => {
    const broker = new Broker(t, { judge: () => null });
    const port = await mutual(broker, { caFile: null });
    client(t, port, pem('alice')).write(CONNECT);
    assert.notEqual((await broker.next()).peer.refusal, null);
  });

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    test(`${version}: a session that is resumed is judged like a new one`, async t => {
      let verdict: ReturnType<ListenerSetOptions['judge']> = null;
      const broker = new Broker(t, { judge: () => verdict });
      const port = await mutual(broker);
      const first = client(t, port, { ...pem('alice'), maxVersion: version });
      const session = once(first, 'session') as Promise<[Buffer]>;
      first.write(CONNECT);
      await broker.next(1);
      const [ticket] = await session;
      first.destroy();
      verdict = { code: 'tls.client-certificate-revoked', reason: 'revoked', log: 'revoked', remedy: [] };
      const second = client(t, port, { ...pem('alice'), maxVersion: version, session: ticket });
      second.write(CONNECT);
      const { peer } = await broker.next(2);
      assert.equal(second.isSessionReused(), true);
      assert.equal(peer.certificate?.commonName, 'alice');
      assert.equal(peer.refusal?.code, 'tls.client-certificate-revoked');
    });

    test(`${version}: a session of a client that was refused cannot be resumed into acceptance`, async t => {
      const broker = new Broker(t, { judge: () => null });
      const port = await mutual(broker);
      const first = client(t, port, { ...pem('stranger'), maxVersion: version });
      const session = once(first, 'session') as Promise<[Buffer]>;
      first.write(CONNECT);
      await broker.next(1);
      const [ticket] = await session;
      first.destroy();
      client(t, port, { ...pem('stranger'), maxVersion: version, session: ticket }).write(CONNECT);
      assert.notEqual((await broker.next(2)).peer.refusal, null);
    });
  }

  test('a session from before a reload is not resumed after it', async t => {
    const broker = new Broker(t);
    const port = await mutual(broker);
    const first = client(t, port, pem('alice'));
    const session = once(first, 'session') as Promise<[Buffer]>;
    first.write(CONNECT);
    await broker.next(1);
    const [ticket] = await session;
    assert.equal(
      broker.listeners.reload([listenerOptions({ tls: tlsOptions(certificates) }, { requireCertificate: true })]),
      true,
    );
    const second = client(t, port, { ...pem('alice'), session: ticket });
    second.write(CONNECT);
    await broker.next(2);
    assert.equal(second.isSessionReused(), false);
  });

  test('after a reload with a revocation list the connected client is found out by recheck(), and kept until then', async t => {
    const broker = new Broker(t);
    const port = await mutual(broker);
    client(t, port, pem('revoked')).write(CONNECT);
    const { peer, link } = await broker.next();
    assert.equal(peer.refusal, null);
    assert.equal(peer.recheck?.(), null);
    const tls = tlsOptions(certificates, { crlFile: certificates.file('crl.pem') });
    assert.equal(broker.listeners.reload([listenerOptions({ tls }, { requireCertificate: true })]), true);
    assert.match(peer.recheck()?.code ?? '', /revoked/);
    assert.equal(broker.arrived[0]!.end, null);
    assert.equal(link.pendingBytes, 0);
  });

  test('what a client sent behind its certificate is still there at every later look', async t => {
    certificates.authority('above', '/CN=Above');
    const isCa = 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign';
    certificates.leaf('below', '/CN=Below', isCa, 'above');
    certificates.leaf('erin', '/CN=erin', 'extendedKeyUsage=clientAuth', 'below');
    const cert = Buffer.concat(['erin', 'below'].map(name => pem(name).cert));
    const broker = new Broker(t);
    const port = await mutual(broker, { caFile: certificates.file('above.crt') });
    client(t, port, { cert, key: pem('erin').key }).write(CONNECT);
    const { peer } = await broker.next();
    assert.equal(peer.refusal, null);
    assert.equal(peer.recheck?.(), null);
    assert.equal(peer.recheck(), null);
  });

  test('a reload with a file that is bad keeps the old TLS state and says so; other rules are taken over, in the same object', async t => {
    const broker = new Broker(t);
    const port = await mutual(broker);
    const { rules } = broker.listeners.opened[0]!;
    const broken = tlsOptions(certificates, { caFile: certificates.file('nowhere.crt') });
    assert.equal(broker.listeners.reload([listenerOptions({ tls: broken }, { maxQos: 0 })]), false);
    assert.equal(rules.maxQos, 0);
    assert.equal(rules.requireCertificate, true);
    assert.match(broker.text, /Error when reloading certificate '.*server\.crt' or key '.*server\.key'\./);
    client(t, port, pem('alice')).write(CONNECT);
    assert.equal((await broker.next()).peer.refusal, null);
    assert.equal(broker.listeners.reload([listenerOptions({ tls: tlsOptions(certificates) }, { maxQos: 1 })]), true);
    assert.equal(rules.maxQos, 1);
    assert.equal(broker.arrived[0]!.peer.listener, rules);
  });

  interface Provoked {
    what: string;
    client: string[];
    tls?: Parameters<typeof tlsOptions>[1];
    openssl: RegExp;
    means: RegExp;
  }

  const PROVOKED: Provoked[] = [
    {
      what: 'a client that does not trust our CA',
      client: ['-verify_return_error', '-CAfile', 'stranger-ca.crt'],
      openssl: /tlsv1 alert unknown ca/,
      means: /does not trust the CA/,
    },
    {
      what: 'a client that is too old',
      client: ['-tls1_1', '-cipher', 'DEFAULT@SECLEVEL=0'],
      openssl: /unsupported protocol/,
      means: /TLS 1\.2 or 1\.3 is needed/,
    },
    {
      what: 'a client older than tls_version',
      client: ['-tls1_2'],
      tls: { minVersion: 'tlsv1.3' },
      openssl: /unsupported protocol/,
      means: /below tls_version/,
    },
    {
      what: 'a client without a cipher in common',
      client: ['-tls1_2', '-cipher', 'ECDHE-RSA-AES128-GCM-SHA256'],
      openssl: /no shared cipher/,
      means: /no cipher in common/,
    },
    {
      what: 'a client without a group in common',
      client: ['-groups', 'P-521'],
      tls: { groups: ['X25519'] },
      openssl: /no suitable key share/,
      means: /no key exchange group in common/,
    },
    {
      what: 'a client that asks for another protocol by ALPN',
      client: ['-alpn', 'h2'],
      tls: { alpn: ['mqtt'] },
      openssl: /no application protocol/,
      means: /ALPN/,
    },
  ];

  for (const { what, client: args, tls, openssl, means } of PROVOKED) {
    test(`${what} is refused in the handshake and the log says why`, async t => {
      const broker = new Broker(t);
      const port = await broker.open({ tls: tlsOptions(certificates, tls) });
      sClient(t, port, ...args.map(arg => (arg.endsWith('.crt') ? certificates.file(arg) : arg)));
      await broker.untilLine(/disconnected: Protocol error\.\n {2}127.*/);
      assert.match(broker.text, openssl);
      assert.match(broker.text, means);
      assert.equal(broker.arrived.length, 0);
    });
  }

  test('mosquitto_sub that misses our name in the certificate is understood', { skip: noMosquitto }, async t => {
    certificates.leaf('elsewhere', '/CN=elsewhere', 'subjectAltName=DNS:elsewhere.example');
    const pair = { certFile: certificates.file('elsewhere.crt'), keyFile: certificates.file('elsewhere.key') };
    const broker = new Broker(t);
    const port = await broker.open({ tls: tlsOptions(certificates, { certificates: [pair] }) });
    new Program(
      t,
      'mosquitto_sub',
      '-h',
      '127.0.0.1',
      '-p',
      `${port}`,
      '-t',
      'x',
      '--cafile',
      certificates.file('ca.crt'),
    );
    await broker.untilLine(/disconnected: Protocol error\.\n {2}127.*/);
    assert.match(broker.text, /name or address they connect to is not in our certificate/);
  });

  test('gnutls-cli gets through to the heart', { skip: missing('gnutls-cli', '--version') }, async t => {
    const broker = new Broker(t);
    const port = await broker.open({ tls: tlsOptions(certificates, { alpn: ['mqtt'] }) });
    const program = new Program(
      t,
      'gnutls-cli',
      '--x509cafile',
      certificates.file('ca.crt'),
      '-p',
      `${port}`,
      '--alpn',
      'mqtt',
      'localhost',
    );
    const arrived = await broker.next();
    program.type('hello\n');
    await broker.until(() => arrived.bytes.length > 0);
    assert.match(arrived.bytes.toString(), /^hello/);
  });

  test('a Node.js client that rejects our certificate leaves without a word, and the log guesses right', async t => {
    const broker = new Broker(t);
    const port = await broker.open({ tls: tlsOptions(certificates) });
    client(t, port, { ca: readFileSync(certificates.file('stranger-ca.crt')) });
    await broker.untilLine(/Node\.js clients do so when they do not trust our certificate/);
    client(t, port, { ca: readFileSync(certificates.file('stranger-ca.crt')), maxVersion: 'TLSv1.2' });
    await broker.untilLine(/left right after the TLS handshake, before CONNECT/);
  });

  test('a silent TLS client that the heart itself sends away is not accused of leaving', async t => {
    const broker = new Broker(t);
    const port = await broker.open({ tls: tlsOptions(certificates) });
    client(t, port).resume();
    const arrived = await broker.next();
    arrived.link.end();
    await broker.until(() => arrived.end !== null);
    await new Promise(resolve => setImmediate(resolve));
    assert.doesNotMatch(broker.text, /left right after/);
  });

  test('plain MQTT on a TLS port goes to the heart with its bytes, to be refused in words', async t => {
    const broker = new Broker(t);
    const port = await broker.open({ tls: tlsOptions(certificates) });
    const socket = dial(t, port);
    socket.write(CONNECT);
    const arrived = await broker.next();
    await broker.until(() => arrived.bytes.length === CONNECT.length);
    assert.ok(arrived.bytes.equals(CONNECT));
    assert.equal(arrived.peer.refusal?.code, 'tls.plain-on-tls-port');
    assert.match(broker.text, /wrong version number[^]*plain MQTT on a TLS port/);
    arrived.link.write(Buffer.from('refused'), 0, 7);
    arrived.link.end();
    const [answer] = (await once(socket, 'data')) as [Buffer];
    assert.equal(answer.toString(), 'refused');
  });

  const STRAY: [string, string, RegExp][] = [
    ['HTTP', 'GET / HTTP/1.1\r\n\r\n', /http request[^]*HTTP without TLS on a TLS port/],
    ['something else', 'SSH-2.0-OpenSSH\r\n', /wrong version number[^]*neither TLS nor MQTT/],
    [
      'a TLS record that is no ClientHello',
      '\x16\x03\x01\x00\x04\x0e\0\0\0',
      /Protocol error\.\n.*not a TLS handshake/,
    ],
  ];

  for (const [what, bytes, line] of STRAY) {
    test(`${what} on a TLS port is recognised, named and closed`, async t => {
      const broker = new Broker(t);
      const port = await broker.open({ tls: tlsOptions(certificates) });
      const socket = dial(t, port).resume();
      const closed = once(socket, 'close');
      socket.write(Buffer.from(bytes, 'latin1'));
      await broker.untilLine(line);
      await closed;
      assert.equal(broker.arrived.length, 0);
    });
  }

  test('a port probe is named; so is a peer that breaks off in the middle, and one that resets', async t => {
    const broker = new Broker(t);
    const port = await broker.open({ tls: tlsOptions(certificates) });
    dial(t, port).end();
    await broker.untilLine(/disconnected: connection closed by client\.\n.*a port probe/);
    dial(t, port).end(Buffer.from([0x16, 3, 1]));
    await broker.untilLine(/in the middle of the TLS handshake/);
    const resets = dial(t, port);
    resets.once('connect', () => resets.resetAndDestroy());
    await broker.untilLine(/disconnected: Connection reset by peer\./);
    await broker.until(() => broker.listeners.connections === 0);
  });

  test('silence is cut off at the deadline, named and counted', async t => {
    const broker = new Broker(t);
    broker.options.limits.handshakeTimeoutMs = 20;
    const port = await broker.open({ tls: tlsOptions(certificates) });
    const closed = once(dial(t, port).resume(), 'close');
    await broker.untilLine(/disconnected: exceeded timeout\.\n.*nothing was sent/);
    await closed;
    // Long enough that what was written is there first, also where this process waits for its turn.
    broker.options.limits.handshakeTimeoutMs = 500;
    dial(t, port).write(Buffer.from([0x16, 3, 1]));
    await broker.untilLine(/TLS handshake was not complete after 0\.5 s/);
    assert.equal(broker.meter.connectTimeouts, 2);
  });

  test('a TLS fault after the handshake is logged in OpenSSL words and ends that link alone', async t => {
    const broker = new Broker(t);
    const port = await broker.open({ tls: tlsOptions(certificates) });
    const raw = dial(t, port);
    const socket = client(t, port, { socket: raw });
    socket.write(CONNECT);
    const arrived = await broker.next();
    await broker.until(() => arrived.bytes.length > 0);
    raw.write(Buffer.from('1703030005aaaaaaaaaa', 'hex'));
    await broker.until(() => arrived.end !== null);
    assert.deepEqual(arrived.end, { by: 'error', text: 'Protocol error' });
    assert.match(broker.text, /OpenSSL Error while trying to get the error\[0\]: error:0A0/);
  });

  test('a slow reader over TLS is seen as blocked, and drains', async t => {
    const broker = new Broker(t);
    const port = await broker.open({ tls: tlsOptions(certificates) });
    const socket = client(t, port);
    socket.write(CONNECT);
    const { link } = await broker.next();
    socket.pause();
    const block = Buffer.alloc(1 << 20, 5);
    for (let i = 0; i < 12; i++) {
      link.write(block, 0, block.length);
      await new Promise(resolve => setImmediate(resolve));
    }
    await broker.until(() => link.blocked || link.pendingBytes === 0);
    assert.equal(link.blocked, true);
    let received = 0;
    socket.on('data', (chunk: Buffer) => (received += chunk.length));
    socket.resume();
    await broker.until(() => !link.blocked);
    assert.equal(link.pendingBytes, 0);
    while (received < 12 * block.length) await once(socket, 'data');
  });

  test('one listener serves an ECDSA chain and an RSA chain', async t => {
    const [key, crt] = [certificates.file('rsa.key'), certificates.file('rsa.crt')];
    const self = ['-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', crt, '-subj', '/CN=rsa'];
    execFileSync('openssl', ['req', ...self], { stdio: 'ignore' });
    const pairs = [
      { certFile: certificates.file('server.crt'), keyFile: certificates.file('server.key') },
      { certFile: crt, keyFile: key },
    ];
    const broker = new Broker(t);
    const port = await broker.open({ tls: tlsOptions(certificates, { certificates: pairs }) });
    for (const [suite, name] of [
      ['ECDHE-ECDSA-AES128-GCM-SHA256', 'localhost'],
      ['ECDHE-RSA-AES128-GCM-SHA256', 'rsa'],
    ] as const) {
      const socket = client(t, port, { ciphers: suite, maxVersion: 'TLSv1.2', rejectUnauthorized: false });
      await once(socket, 'secureConnect');
      assert.equal(socket.getPeerCertificate().subject.CN, name);
    }
  });

  test('--tls-keylog receives the secrets of each session', async t => {
    const lines: string[] = [];
    const broker = new Broker(t, { keylog: line => void lines.push(line.toString()) });
    const port = await broker.open({ tls: tlsOptions(certificates) });
    client(t, port).write(CONNECT);
    await broker.next();
    assert.match(lines.join(''), /^SERVER_TRAFFIC_SECRET_0 /m);
  });

  test('files that are gone after the start do not disturb a running listener', async t => {
    const own = new CertificateDirectory();
    t.after(() => own.remove());
    const broker = new Broker(t);
    const port = await broker.open({ tls: tlsOptions(own) });
    rmSync(own.path, { recursive: true });
    client(t, port, { rejectUnauthorized: false }).write(CONNECT);
    await broker.next();
  });

  const KEYS: Record<string, string> = { dev1: 'aabbccdd' };
  const psk = {
    hint: 'hint',
    lookup: (identity: string) => (KEYS[identity] ? Buffer.from(KEYS[identity], 'hex') : null),
  };

  test('a pre-shared key proves an identity, in TLS 1.2', { skip: noMosquitto }, async t => {
    const broker = new Broker(t);
    const port = await broker.open({ tls: tlsOptions(certificates, { certificates: [], caFile: null, psk }) });
    const at = ['-h', '127.0.0.1', '-p', `${port}`, '-t', 'x'];
    new Program(t, 'mosquitto_sub', ...at, '--psk-identity', 'dev1', '--psk', 'aabbccdd');
    const { peer } = await broker.next();
    assert.equal(peer.pskIdentity, 'dev1');
    assert.equal(peer.tls?.version, 'TLSv1.2');
    assert.match(peer.tls.cipher, /PSK/);
    assert.equal(peer.recheck?.(), null);
    KEYS.dev1 = '00';
    assert.equal(peer.recheck()?.code, 'tls.psk-withdrawn');
    KEYS.dev1 = 'aabbccdd';
  });

  const PSK_REFUSED: [string, string[], RegExp][] = [
    ['an unknown identity', ['-psk', 'aabbccdd', '-psk_identity', 'dev2'], /identity is not in psk_file/],
    ['a wrong key', ['-psk', '11111111', '-psk_identity', 'dev1'], /Compare the key on both sides/],
    ['no key at all', [], /pre-shared keys alone/],
    ['TLS 1.3 alone', ['-tls1_3', '-psk', 'aabbccdd', '-psk_identity', 'dev1'], /TLS versions/],
  ];

  for (const [what, args, means] of PSK_REFUSED) {
    test(`a listener for pre-shared keys refuses ${what} in the handshake`, async t => {
      const broker = new Broker(t);
      const port = await broker.open({ tls: tlsOptions(certificates, { certificates: [], caFile: null, psk }) });
      sClient(t, port, ...args);
      await broker.untilLine(/disconnected: Protocol error\.\n {2}127.*/);
      assert.match(broker.text, means);
      assert.equal(broker.arrived.length, 0);
    });
  }
});
