/** TLS from the wire: who gets in under which name, who is refused with what, and what the log says. */
import assert from 'node:assert/strict';
import { copyFileSync, readFileSync } from 'node:fs';
import { connect as dialPlain } from 'node:net';
import { once } from 'node:events';
import { after, before, describe, test, type TestContext } from 'node:test';
import tls from 'node:tls';
import { needs, property, publish, RawClient, run, connect as connectPacket, type Broker } from '../harness/mod.ts';
import { makeInfrastructure, tlsOf } from './certificates.ts';
import {
  afterReload,
  assertInOrder,
  clientOf,
  connectCode,
  Folder,
  reload,
  rowsAtOnce,
  start,
  texts,
} from './stage.ts';

const folder = new Folder({ after });
before(() => makeInfrastructure(folder));

const server = 'certfile {dir}/server.crt\nkeyfile {dir}/server.key\n';
const mutual = `${server}cafile {dir}/ca.crt\nrequire_certificate true\n`;

/** A TLS listener with these lines; `{dir}` holds the infrastructure. */
function brokerWith(t: TestContext, lines: string, globals = 'allow_anonymous true\n'): Promise<Broker> {
  return start(t, {
    conf: at => `listener ${at.port()} 127.0.0.1\n${lines}${globals}`.replaceAll('{dir}', folder.path),
  });
}

/** What a peer gets that writes these bytes into a plain socket and waits: all bytes until the end. */
async function answerTo(port: number, bytes: Buffer | string): Promise<Buffer> {
  const socket = dialPlain(port, '127.0.0.1');
  const got: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => got.push(chunk)).on('error', () => {});
  socket.write(bytes);
  await once(socket, 'close');
  return Buffer.concat(got);
}

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  const only = { minVersion: version, maxVersion: version } as const;
  const dial = (who: string | null) => ({ tls: tlsOf(folder, who, only) });

  describe(`require_certificate over ${version}`, rowsAtOnce, () => {
    test('a good certificate is let in, and the log tells version and cipher in its place', async t => {
      const broker = await brokerWith(t, mutual, 'allow_anonymous true\nlog_type all\n');
      const client = await clientOf(broker, { clientId: 'a', version: 5 }, dial('alice'));
      await client.expectQuiet();
      await broker.logged(/Sending CONNACK to a/);
      assertInOrder(
        texts(broker.lines),
        /^New connection from 127\.0\.0\.1:\d+ on port \d+\.$/,
        /^New client connected from 127\.0\.0\.1:\d+ as a \(p5, c1, k60\)\.$/,
        'No will message specified.',
        new RegExp(`^Client a negotiated ${version} cipher (TLS_|ECDHE-)[A-Z0-9_-]+$`),
        'Sending CONNACK to a (0, 0)',
      );
    });

    test('no certificate: refused in the handshake with the TLS alert, named in the log with the remedy', async t => {
      const broker = await brokerWith(t, mutual);
      const socket = tls.connect({ port: broker.port, host: '127.0.0.1', ...tlsOf(folder, null, only) });
      const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
      assert.match(error.code!, version === 'TLSv1.3' ? /ALERT_CERTIFICATE_REQUIRED/ : /ALERT_HANDSHAKE_FAILURE/);
      await broker.logged(/disconnected: Protocol error\.$/);
      assertInOrder(
        texts(broker.lines),
        'OpenSSL Error while trying to get the error[0]: error:0A0000C7:SSL routines::peer did not return a certificate',
        /^Client 127\.0\.0\.1 \[127\.0\.0\.1:\d+\] disconnected: Protocol error\.$/,
      );
      await broker.logged(/require/);
    });

    const refusals: readonly (readonly [what: string, who: string, reason: RegExp, more?: string])[] = [
      ['signed by another authority', 'stranger', /authority|CA\b|signed/],
      ['expired', 'expired', /expired/],
      ['of the future', 'future', /not yet valid|future|clock/],
      ['made for servers only', 'not-a-client', /purpose|client|server/],
      ['revoked', 'alice', /revoked/, 'crlfile {dir}/crl-alice.pem\n'],
      ['judged by a revocation list that is past its date', 'bob', /revocation/, 'crlfile {dir}/crl-stale.pem\n'],
    ];
    for (const [what, who, reason, more = ''] of refusals) {
      test(`a certificate ${what} is refused by CONNACK 5, or 0x87 with the reason`, async t => {
        const broker = await brokerWith(t, mutual + more);
        for (const protocol of [3, 4, 5] as const) {
          const client = await RawClient.dial({ port: broker.port, ...dial(who) });
          const connack = await client.connect({ clientId: 'c', version: protocol });
          assert.equal(connack.reasonCode, protocol === 5 ? 0x87 : 5);
          if (protocol === 5) assert.match(property(connack, 'reasonString') as string, reason);
          await client.expectClosed();
        }
        await broker.logged(/disconnected: not authorised\.$/);
        const said = texts(broker.lines).join('\n');
        assert.match(said, reason);
        assert.match(said, new RegExp(`CN=${who}`), 'the subject is named');
        assert.match(said, new RegExp(`port ${broker.port}`), 'the listener is named');
        assert.doesNotMatch(said, /New client connected/);
      });
    }

    test('who may not pass and sends no CONNECT is closed within about a second', async t => {
      const broker = await brokerWith(t, mutual);
      const client = await RawClient.dial({ port: broker.port, ...dial('stranger') });
      await client.expectClosed();
    });

    test('nothing that a refused client sends behind its CONNECT has an effect', async t => {
      const broker = await brokerWith(t, mutual);
      const reader = await clientOf(broker, { clientId: 'r' }, dial('bob'));
      await reader.subscribe([['#', 0]]);
      const client = await RawClient.dial({ port: broker.port, ...dial('stranger') });
      client.send(connectPacket({ clientId: 'c', will: { topic: 'will' } }), publish({ topic: 'a' }));
      assert.equal((await client.expect('connack')).reasonCode, 5);
      await client.expectClosed();
      await reader.expectQuiet();
    });
  });
}

describe('names from certificates', rowsAtOnce, () => {
  const who = (name: string, more = {}) => ({ clientId: name, ...more });
  const rights = 'acl_file {dir}/rights\n';
  before(
    () =>
      void folder.write(
        'rights',
        'user alice\ntopic cn\nuser CN=alice,O=Org\ntopic subject\nuser mallory\ntopic typed\n',
      ),
  );

  /** Which of the three topics this client may publish. */
  async function mayPublish(client: RawClient): Promise<string[]> {
    const allowed: string[] = [];
    for (const [i, topic] of ['cn', 'subject', 'typed'].entries()) {
      client.send(publish({ version: 5, topic, qos: 1, packetId: i + 1 }));
      if ((await client.expect('puback')).reasonCode !== 0x87) allowed.push(topic);
    }
    return allowed;
  }
  const typed = { version: 5 as const, username: 'mallory', password: 'x' };
  const alice = (): { tls: tls.ConnectionOptions } => ({ tls: tlsOf(folder, 'alice') });

  test('use_identity_as_username: the common name is the user, and what CONNECT says is thrown away', async t => {
    const broker = await brokerWith(t, `${mutual}use_identity_as_username true\n`, `allow_anonymous false\n${rights}`);
    const client = await clientOf(broker, who('a', typed), alice());
    assert.deepEqual(await mayPublish(client), ['cn']);
    await broker.logged(/New client connected .* as a \(p5, c1, k60, u'alice'\)\./);
  });

  test('use_subject_as_username: the whole subject, most specific part first', async t => {
    const broker = await brokerWith(t, `${mutual}use_subject_as_username true\n`, `allow_anonymous false\n${rights}`);
    const client = await clientOf(broker, who('a', typed), alice());
    assert.deepEqual(await mayPublish(client), ['subject']);
    await broker.logged(/u'CN=alice,O=Org'/);
  });

  test('both: the common name wins', async t => {
    const both = `${mutual}use_identity_as_username true\nuse_subject_as_username true\n`;
    const broker = await brokerWith(t, both, `allow_anonymous false\n${rights}`);
    assert.deepEqual(await mayPublish(await clientOf(broker, who('a', { version: 5 }), alice())), ['cn']);
  });

  test('neither: the certificate opens the door, the name is the one of CONNECT', async t => {
    const broker = await brokerWith(t, mutual, `allow_anonymous true\n${rights}`);
    assert.deepEqual(await mayPublish(await clientOf(broker, who('a', typed), alice())), ['typed']);
  });

  test('neither, and anonymous clients are not allowed: a certificate alone is not a name', async t => {
    const broker = await brokerWith(t, mutual, 'allow_anonymous false\n');
    assert.equal(await connectCode(broker, who('a'), alice()), 5);
    assert.equal(await connectCode(broker, who('a', { version: 5 }), alice()), 0x87);
  });

  test('without a certificate, because require_certificate was forgotten: CONNACK 4, or 0x86', async t => {
    const lines = `${server}cafile {dir}/ca.crt\nuse_identity_as_username true\n`;
    const broker = await brokerWith(t, lines);
    assert.equal(await connectCode(broker, who('a'), alice()), 4);
    assert.equal(await connectCode(broker, who('a', { version: 5 }), alice()), 0x86);
  });

  test('use_username_as_clientid: the name from the certificate is the client id', async t => {
    const lines = `${mutual}use_identity_as_username true\nuse_username_as_clientid true\n`;
    const broker = await brokerWith(t, lines);
    await clientOf(broker, who('whatever'), alice());
    await broker.logged(/New client connected .* as alice \(p4, c1, k60, u'alice'\)\./);
  });

  test('the password file is not asked', async t => {
    folder.write('nobody', '');
    const globals = 'password_file {dir}/nobody\n';
    const broker = await brokerWith(t, `${mutual}use_identity_as_username true\n`, globals);
    await clientOf(broker, who('a'), alice());
    const plain = await brokerWith(t, mutual, globals);
    assert.equal(await connectCode(plain, who('a', typed), alice()), 0x87);
  });
});

interface Agreed {
  protocol: string | null;
  cipher: string;
  alpn: string | false | null;
}

describe('what a listener offers', rowsAtOnce, () => {
  const handshake = async (broker: Broker, more: tls.ConnectionOptions): Promise<Agreed> => {
    const socket = tls.connect({ port: broker.port, host: '127.0.0.1', ...tlsOf(folder, null, more) });
    await once(socket, 'secureConnect');
    const agreed = { protocol: socket.getProtocol(), cipher: socket.getCipher().name, alpn: socket.alpnProtocol };
    socket.destroy();
    return agreed;
  };
  const failure = async (broker: Broker, more: tls.ConnectionOptions): Promise<string> => {
    const socket = tls.connect({ port: broker.port, host: '127.0.0.1', ...tlsOf(folder, null, more) });
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
    return error.code ?? error.message;
  };
  const old = { maxVersion: 'TLSv1.2' } as const;

  test('TLS 1.2 and 1.3, and nothing older', async t => {
    const broker = await brokerWith(t, server);
    assert.equal((await handshake(broker, {})).protocol, 'TLSv1.3');
    assert.equal((await handshake(broker, old)).protocol, 'TLSv1.2');
    const ancient = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    assert.match(await failure(broker, ancient), /PROTOCOL_VERSION/);
    await broker.logged(/unsupported protocol/);
  });

  test('tls_version is a minimum', async t => {
    const broker = await brokerWith(t, `${server}tls_version tlsv1.3\n`);
    assert.equal((await handshake(broker, {})).protocol, 'TLSv1.3');
    assert.match(await failure(broker, old), /PROTOCOL_VERSION/);
    await broker.logged(/TLS 1\.2|TLS versions/);
    const lower = await brokerWith(t, `${server}tls_version tlsv1.2\n`);
    assert.equal((await handshake(lower, {})).protocol, 'TLSv1.3');
  });

  test('ciphers choose for TLS 1.2, ciphers_tls1.3 for TLS 1.3', async t => {
    const broker = await brokerWith(
      t,
      `${server}ciphers ECDHE-ECDSA-CHACHA20-POLY1305\nciphers_tls1.3 TLS_AES_128_GCM_SHA256\n`,
    );
    assert.equal((await handshake(broker, {})).cipher, 'TLS_AES_128_GCM_SHA256');
    assert.equal((await handshake(broker, old)).cipher, 'ECDHE-ECDSA-CHACHA20-POLY1305');
    assert.match(await failure(broker, { ...old, ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384' }), /HANDSHAKE_FAILURE/);
    await broker.logged(/cipher in common|no shared cipher/);
  });

  test('two chains: ECDSA for who can, RSA for who cannot', async t => {
    const broker = await brokerWith(
      t,
      `${server}certfile_rsa {dir}/server-rsa.crt\nkeyfile_rsa {dir}/server-rsa.key\n`,
    );
    assert.match((await handshake(broker, old)).cipher, /^ECDHE-ECDSA/);
    const rsa = await handshake(broker, { ...old, ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' });
    assert.match(rsa.cipher, /^ECDHE-RSA/);
  });

  test('capath: a directory with rehash links counts as the authorities', async t => {
    const broker = await brokerWith(t, `${server}capath {dir}/hashed\nrequire_certificate true\n`);
    assert.equal(await connectCode(broker, { clientId: 'a' }, { tls: tlsOf(folder, 'alice') }), 0);
    assert.equal(await connectCode(broker, { clientId: 's' }, { tls: tlsOf(folder, 'stranger') }), 5);
  });

  test('disable_client_cert_date_checks forgives the dates and nothing else', async t => {
    const lines = `${mutual}disable_client_cert_date_checks true\ncrlfile {dir}/crl-alice.pem\n`;
    const broker = await brokerWith(t, lines);
    const code = (who: string) => connectCode(broker, { clientId: who }, { tls: tlsOf(folder, who) });
    assert.equal(await code('expired'), 0);
    assert.equal(await code('future'), 0);
    assert.equal(await code('alice'), 5);
    assert.equal(await code('stranger'), 5);
  });

  test('the ALPN name mqtt is agreed on; no ALPN is fine too', async t => {
    const broker = await brokerWith(t, server);
    assert.equal((await handshake(broker, { ALPNProtocols: ['mqtt'] })).alpn, 'mqtt');
    assert.equal((await handshake(broker, {})).alpn, false);
  });

  test('a client that trusts somebody else is explained', needs('mosquitto_pub'), async t => {
    const broker = await brokerWith(t, server);
    const args = [
      '-h',
      '127.0.0.1',
      '-p',
      `${broker.port}`,
      '--cafile',
      folder.at('other-ca.crt'),
      '-t',
      'a',
      '-m',
      'b',
    ];
    assert.notEqual((await run('mosquitto_pub', args)).code, 0);
    await broker.logged(/does not trust/);
    assertInOrder(
      texts(broker.lines),
      'OpenSSL Error while trying to get the error[0]: error:0A000418:SSL routines::tlsv1 alert unknown ca',
      /^Client 127\.0\.0\.1 \[127\.0\.0\.1:\d+\] disconnected: Protocol error\.$/,
    );
  });
});

describe('a session ticket does not bring back who was revoked', rowsAtOnce, () => {
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    test(version, async t => {
      const files = new Folder(t);
      copyFileSync(folder.at('crl-none.pem'), files.at('crl.pem'));
      const broker = await brokerWith(t, `${mutual}crlfile ${files.at('crl.pem')}\n`);
      const options = { minVersion: version, maxVersion: version } as const;
      const first = tls.connect({ port: broker.port, host: '127.0.0.1', ...tlsOf(folder, 'alice', options) });
      let session: Buffer | undefined;
      first.on('session', (ticket: Buffer) => (session = ticket));
      await once(first, 'secureConnect');
      first.write(connectPacket({ clientId: 'a' }));
      await once(first, 'data');
      session ??= first.getSession();
      first.destroy();
      copyFileSync(folder.at('crl-alice.pem'), files.at('crl.pem'));
      await reload(broker);
      await afterReload(broker);
      const again = session === undefined ? {} : { session };
      const dial = { tls: tlsOf(folder, 'alice', { ...options, ...again }) };
      assert.equal(await connectCode(broker, { clientId: 'a' }, dial), 5);
      await broker.logged(/revoked/);
    });
  }
});

describe('what is no TLS on a TLS port', rowsAtOnce, () => {
  test('plain MQTT is told by CONNACK of its own version that it is refused, and named', async t => {
    const broker = await brokerWith(t, server);
    for (const version of [4, 5] as const) {
      const client = await RawClient.dial({ port: broker.port });
      const connack = await client.connect({ clientId: 'a', version });
      assert.equal(connack.reasonCode, version === 5 ? 0x87 : 5);
      if (version === 5) assert.match(property(connack, 'reasonString') as string, /TLS/);
      await client.expectClosed();
    }
    await broker.logged(/TLS/);
    assert.doesNotMatch(broker.log, /New client connected/);
  });

  test('HTTP is named', async t => {
    const broker = await brokerWith(t, server);
    await answerTo(broker.port, 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await broker.logged(/HTTP/);
  });

  test('a port probe is named', async t => {
    const broker = await brokerWith(t, server);
    const socket = dialPlain(broker.port, '127.0.0.1');
    await once(socket, 'connect');
    socket.end();
    await once(socket, 'close');
    await broker.logged(/probe|without (a word|sending)|closed|left/);
    await broker.logged(/disconnected: (Protocol error|connection closed by client)\.$/);
  });

  test('silence is closed after tls_handshake_timeout and named', async t => {
    const broker = await brokerWith(t, `${server}`, 'tls_handshake_timeout 1\nallow_anonymous true\n');
    assert.equal((await answerTo(broker.port, '')).length, 0);
    await broker.logged(/tls_handshake_timeout|nothing|silent/);
  });

  test('garbage is closed and named; the broker goes on', async t => {
    const broker = await brokerWith(t, server);
    await answerTo(broker.port, Buffer.from('ffffffffffffffffffffff', 'hex'));
    await broker.logged(/disconnected/);
    await clientOf(broker, { clientId: 'a' }, { tls: tlsOf(folder, null) });
  });
});

test('TLS on a plain port is named', async t => {
  const broker = await start(t);
  const socket = tls.connect({ port: broker.port, host: '127.0.0.1', ...tlsOf(folder, null) });
  await once(socket, 'error');
  await broker.logged(/disconnected: protocol error\.$/);
  assertInOrder(
    texts(broker.lines),
    /^Client from 127\.0\.0\.1:\d+ appears to be using TLS to connect to a non-TLS listener\.$/,
    /^Client 127\.0\.0\.1 \[127\.0\.0\.1:\d+\] disconnected: protocol error\.$/,
  );
});

test('--tls-keylog appends the secrets of each session, and warns', async t => {
  const path = folder.at('keylog');
  const broker = await start(t, {
    conf: at => `listener ${at.port()} 127.0.0.1\n${server}allow_anonymous true\n`.replaceAll('{dir}', folder.path),
    args: ['--tls-keylog', path],
  });
  await clientOf(broker, { clientId: 'a' }, { tls: tlsOf(folder, null) });
  assert.match(readFileSync(path, 'utf8'), /^CLIENT_HANDSHAKE_TRAFFIC_SECRET /m);
  assertInOrder(
    texts(broker.lines),
    `TLS key logging to '${path}' enabled for all listeners.`,
    'TLS key logging is for DEBUGGING only.',
  );
});
