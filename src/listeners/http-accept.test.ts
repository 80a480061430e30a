import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { after, before, describe, test, type TestContext } from 'node:test';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import type { Peer } from '../broker/ports.ts';
import { Broker, CertificateDirectory, missing, tlsOptions } from './shared.test.ts';

const CONNECT = Buffer.from('100d00044d5154540402003c000161', 'hex');

describe('An MQTT listener that also answers HTTP', { skip: missing('openssl', 'version') }, () => {
  let certificates: CertificateDirectory;

  before(() => {
    certificates = new CertificateDirectory();
  });
  after(() => certificates.remove());

  function client(t: TestContext, port: number, options: ConnectionOptions = {}): TLSSocket {
    const ca = readFileSync(certificates.file('ca.crt'));
    const socket = connectTls({ port, host: '127.0.0.1', ca, ...options });
    socket.on('error', () => {});
    t.after(() => socket.destroy());
    return socket;
  }

  async function open(t: TestContext, onHttp: (socket: Socket, peer: Peer) => void, http = true) {
    const broker = new Broker(t, { onHttp });
    const tls = tlsOptions(certificates, { alpn: ['mqtt', 'http/1.1'] });
    return { broker, port: await broker.open({ tls, http }) };
  }

  test('tells them apart by the first byte, and loses none', async t => {
    const heard = Promise.withResolvers<string>();
    const { broker, port } = await open(t, socket => {
      socket.on('data', (chunk: Buffer) => heard.resolve(chunk.toString()));
      socket.resume();
    });
    client(t, port, { ALPNProtocols: ['h2', 'http/1.1'] }).write('GET / HTTP/1.1\r\n\r\n');
    assert.equal(await heard.promise, 'GET / HTTP/1.1\r\n\r\n');
    assert.equal(broker.arrived.length, 0);
    client(t, port).write(CONNECT);
    const arrived = await broker.next();
    await broker.until(() => arrived.bytes.length > 0);
    assert.deepEqual(arrived.bytes, CONNECT);
  });

  test('counts the socket for as long as it is open, whoever has it', async t => {
    const taken = Promise.withResolvers<Socket>();
    const { broker, port } = await open(t, socket => taken.resolve(socket));
    client(t, port).write('GET / HTTP/1.1\r\n\r\n');
    const socket = await taken.promise;
    assert.equal(broker.listeners.connections, 1);
    const closed = new Promise(resolve => socket.once('close', resolve));
    socket.destroy();
    await closed;
    await new Promise(resolve => setImmediate(resolve));
    assert.equal(broker.listeners.connections, 0);
  });

  test('says why somebody may have left between the handshake and the first byte', async t => {
    const { broker, port } = await open(t, socket => socket.destroy());
    client(t, port, { ca: [] });
    client(t, port, { ca: [], maxVersion: 'TLSv1.2' });
    await broker.untilLine(/left right after the TLS handshake[^]*Give the client our CA/);
  });

  test('is asked nothing where HTTP is not wanted', async t => {
    let asked = false;
    const { broker, port } = await open(t, () => (asked = true), false);
    client(t, port).write('GET / HTTP/1.1\r\n\r\n');
    const arrived = await broker.next();
    await broker.until(() => arrived.bytes.length > 0);
    assert.equal(asked, false);
  });
});
