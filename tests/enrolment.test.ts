/**
 * Devices fetch their certificates themselves: from an invitation on the command line to a message over mutual TLS,
 * with openssl, curl and mosquitto_pub; and everybody who is to get none.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request, type RequestOptions } from 'node:https';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { connect } from 'node:tls';
import { needs, run, startBroker, temporaryDirectory, until, zancudo, type Broker } from './harness/mod.ts';

interface Answer {
  status: number;
  headers: Record<string, unknown>;
  body: Buffer;
}

interface Invitation {
  token: string;
  caFingerprint: string;
}

const pkcs10 = { 'content-type': 'application/pkcs10' };
const est = '/.well-known/est';

/** A CA, a broker that lets devices enrol, and a desk to work at. */
class Workshop {
  readonly #directory = temporaryDirectory();
  readonly desk = this.#directory.path;
  readonly home = join(this.desk, 'home');
  broker!: Broker;
  #visitor = 10;

  async open(t: TestContext): Promise<this> {
    t.after(async () => {
      await this.broker?.stop();
      this.#directory.remove();
    });
    await this.zancudo(['ca', 'init', '127.0.0.1', 'localhost']);
    writeFileSync(join(this.home, 'access'), '', { mode: 0o600 });
    const file = (name: string): string => join(this.home, name);
    this.broker = await startBroker({
      conf: at => `listener ${at.port()} 127.0.0.1
certfile ${file('server/server.crt')}
keyfile ${file('server/server.key')}
cafile ${file('clients/trusted.crt')}
crlfile ${file('clients/revoked.crl')}
request_certificate true
use_identity_as_username true
acl_file ${file('access')}
allow_anonymous false
ca_home ${this.home}
enrolment true
`,
    });
    return this;
  }

  /** `daysAgo`: as if it had been typed then. */
  async zancudo(words: readonly string[], daysAgo = 0): Promise<string> {
    const clock = `const now = Date.now; Date.now = () => now() - ${daysAgo * 86_400_000}`;
    const env = daysAgo === 0 ? {} : { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(clock)}` };
    const { code, output } = await run(zancudo, words, {
      cwd: this.desk,
      env: { ...process.env, ...env, ZANCUDO_HOME: this.home },
    });
    assert.equal(code, 0, output);
    return output;
  }

  async invite(name: string, words: readonly string[] = [], daysAgo = 0): Promise<Invitation> {
    const all = [
      'device',
      'invite',
      name,
      '--host',
      'localhost',
      '--port',
      String(this.broker.port),
      '--json',
      ...words,
    ];
    return JSON.parse(await this.zancudo(all, daysAgo)) as Invitation;
  }

  async type(line: string): Promise<{ code: number | null; output: string }> {
    return run('/bin/sh', ['-ec', line], { cwd: this.desk });
  }

  /** A new key and a request in DER, by openssl. */
  async csr(name: string, more = ''): Promise<Buffer> {
    const { code, output } = await this.type(
      `openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=${name} ${more} -keyout ${name}.key -outform DER -out ${name}.csr`,
    );
    assert.equal(code, 0, output);
    return readFileSync(join(this.desk, `${name}.csr`));
  }

  /** From an address of its own, so that one visitor's failures do not make the next one wait. */
  ask(method: string, path: string, body: Buffer | null = null, options: RequestOptions = {}): Promise<Answer> {
    const localAddress = `127.0.0.${this.#visitor++}`;
    return new Promise((resolve, reject) => {
      const asked = request(
        {
          host: '127.0.0.1',
          port: this.broker.port,
          method,
          path,
          ca: this.ca,
          localAddress,
          agent: false,
          ...options,
        },
        response => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('end', () =>
            resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
          );
        },
      );
      asked.on('error', reject);
      asked.end(body ?? undefined);
    });
  }

  enroll(token: string, csr: Buffer, options: RequestOptions = {}): Promise<Answer> {
    const body = Buffer.from(csr.toString('base64'));
    return this.ask('POST', `${est}/simpleenroll`, body, { headers: pkcs10, auth: `device:${token}`, ...options });
  }

  renew(kit: string, csr: Buffer): Promise<Answer> {
    const body = Buffer.from(csr.toString('base64'));
    const file = (end: string): Buffer => readFileSync(join(this.desk, `${kit}-kit`, `${kit}.${end}`));
    return this.ask('POST', `${est}/simplereenroll`, body, { headers: pkcs10, cert: file('crt'), key: file('key') });
  }

  get ca(): string {
    return readFileSync(join(this.home, 'ca.crt'), 'utf8');
  }

  pub(name: string, certificate: string, key: string): string {
    return `mosquitto_pub -h localhost -p ${this.broker.port} --cafile '${this.home}/ca.crt' --cert ${certificate} --key ${key} -V 5 -q 1 -t devices/${name}/x -m hello`;
  }
}

const needed = needs('openssl', 'curl', 'mosquitto_pub');
const text = ({ body }: Answer): string => body.toString();

test('enrolment over HTTPS, beside MQTT on one port', needed, async t => {
  const workshop = await new Workshop().open(t);
  const { broker } = workshop;

  await t.test(
    'the lines that an invitation prints end in a certificate, and the device may publish at once',
    async () => {
      const printed = await workshop.zancudo([
      'device', 'invite', 'lamp', '--host', 'localhost', '--port', String(broker.port), '--from', '127.0.0.0/8',
    ]); // prettier-ignore
      const lines = printed.split('\n').filter(line => /^ {2}(curl|openssl|echo) /.test(line));
      const typed = await workshop.type(lines.join('\n'));
      assert.equal(typed.code, 0, typed.output);
      const verified = await workshop.type(
        `openssl verify -x509_strict -purpose sslclient -CAfile ca.crt -untrusted '${workshop.home}/ca/issuing.crt' lamp.crt`,
      );
      assert.match(verified.output, /lamp\.crt: OK/);
      const published = await workshop.type(workshop.pub('lamp', 'lamp.crt', 'lamp.key'));
      assert.equal(published.output, '');
      await broker.logged(/lamp has a certificate/);
      const elsewhere = await workshop.type(workshop.pub('fan', 'lamp.crt', 'lamp.key'));
      assert.match(elsewhere.output, /not authori[sz]ed/i);
    },
  );

  await t.test('a token works once, for the name that was invited and nothing more', async () => {
    const { token } = await workshop.invite('fan');
    const csr = await workshop.csr('operator', '-addext subjectAltName=DNS:localhost');
    const first = await workshop.enroll(token, csr);
    assert.equal(first.status, 200, text(first));
    assert.match(String(first.headers['content-type']), /^application\/pkcs7-mime; smime-type=certs-only$/);
    assert.equal(first.headers['content-transfer-encoding'], 'base64');
    writeFileSync(join(workshop.desk, 'fan.p7'), first.body);
    const shown = await workshop.type(
      'openssl base64 -d -in fan.p7 | openssl pkcs7 -inform DER -print_certs | openssl x509 -noout -subject -ext subjectAltName 2>&1',
    );
    assert.match(shown.output, /subject=CN ?= ?fan\n/);
    assert.doesNotMatch(shown.output, /DNS:/);
    const second = await workshop.enroll(token, csr);
    assert.equal(second.status, 401);
    assert.match(String(second.headers['www-authenticate']), /^Basic /);
    await broker.logged(/the token for fan was used on .* zancudo device revoke fan/);
  });

  await t.test('a small device that reads PEM alone is given PEM, with the CA in between', async () => {
    const { token } = await workshop.invite('small');
    const pem = await workshop.type(
      'openssl req -new -newkey rsa:2048 -nodes -subj /CN=x -keyout small.key 2>/dev/null',
    );
    const headers = { ...pkcs10, accept: 'application/x-pem-file', authorization: `Bearer ${token}` };
    const answer = await workshop.ask('POST', `${est}/simpleenroll`, Buffer.from(pem.output), { headers });
    assert.equal(answer.status, 200, text(answer));
    writeFileSync(join(workshop.desk, 'small.crt'), answer.body);
    const { output } = await workshop.type('openssl verify -CAfile ca.crt -untrusted small.crt small.crt');
    assert.match(output, /small\.crt: OK/);
  });

  await t.test('who brings the wrong thing gets nothing, and is told why', async () => {
    const good = await workshop.csr('probe');
    const { token } = await workshop.invite('probe');
    const elsewhere = await workshop.invite('elsewhere', ['--from', '10.0.0.0/8']);
    const late = await workshop.invite('late', ['--valid', '2h'], 1);
    const ca = await workshop.csr('ca', '-addext basicConstraints=critical,CA:TRUE');
    const server = await workshop.csr('server', '-addext extendedKeyUsage=serverAuth');
    const wrong = token.replace(/^./, first => (first === 'a' ? 'b' : 'a'));
    const answers: [what: string, status: number, says: RegExp, answer: Answer][] = [
      ['a wrong token', 401, /no such token/, await workshop.enroll(wrong, good)],
      ['no token', 401, /bring the token/, await workshop.enroll('', good, { auth: undefined })],
      ['an old token', 401, /was valid until/, await workshop.enroll(late.token, good)],
      ['another network', 403, /may not be used from this address/, await workshop.enroll(elsewhere.token, good)],
      ['a request to be a CA', 400, /asks to become a CA/, await workshop.enroll(token, ca)],
      ['a request to be a server', 400, /serverAuth/, await workshop.enroll(token, server)],
      ['garbage', 400, /no certificate request/, await workshop.enroll(token, Buffer.from('garbage'))],
      ['nothing', 400, /no certificate request/, await workshop.enroll(token, Buffer.alloc(0))],
      ['a form', 415, /application\/pkcs10/, await workshop.enroll(token, good, { headers: {} })],
      ['70 kB', 413, /no more than/, await workshop.enroll(token, Buffer.alloc(70_000))],
      ['another path', 404, /nothing here/, await workshop.ask('GET', '/')],
      ['another method', 405, /not by this/, await workshop.ask('DELETE', `${est}/cacerts`)],
    ];
    for (const [what, status, says, answer] of answers) {
      assert.equal(answer.status, status, `${what}: ${text(answer)}`);
      assert.match(text(answer), says, what);
    }
    assert.equal((await workshop.enroll(token, good)).status, 200, 'and the token is still good');
  });

  await t.test('who goes on trying has to wait; nobody else has', async () => {
    const localAddress = '127.0.0.99';
    const csr = await workshop.csr('patient');
    const { token } = await workshop.invite('patient');
    const statuses: number[] = [];
    for (let i = 0; i < 6; i++) statuses.push((await workshop.enroll('wrong', csr, { localAddress })).status);
    assert.deepEqual(statuses, [401, 401, 401, 401, 401, 401]);
    // At once: the first wait is two seconds, and each of these is a handshake.
    const [again, waiting] = await Promise.all(['wrong', token].map(each => workshop.enroll(each, csr, { localAddress }))); // prettier-ignore
    assert.deepEqual([again!.status, waiting!.status], [429, 429]);
    assert.ok(Number(waiting!.headers['retry-after']) > 0);
    assert.equal((await workshop.enroll(token, csr)).status, 200);
  });

  await t.test('the CAs come as PKCS #7 and as a file, to whoever asks', async () => {
    const { body, headers } = await workshop.ask('GET', `${est}/cacerts`);
    assert.equal(headers['content-type'], 'application/pkcs7-mime');
    writeFileSync(join(workshop.desk, 'cas.p7'), body);
    const { output } = await workshop.type(
      'openssl base64 -d -in cas.p7 | openssl pkcs7 -inform DER -print_certs -noout',
    );
    assert.match(output, /subject=.*Zancudo Root CA[^]*subject=.*Zancudo Issuing CA/);
    assert.equal(text(await workshop.ask('GET', '/ca.crt')), workshop.ca);
    assert.equal((await workshop.ask('GET', `${est}/csrattrs`)).status, 204);
  });

  await t.test('a certificate is renewed by itself: while it lasts, and for 30 days after', async () => {
    await workshop.zancudo(['device', 'add', 'present', '--host', 'localhost']);
    await workshop.zancudo(['device', 'add', 'late-by-10', '--host', 'localhost'], 100);
    await workshop.zancudo(['device', 'add', 'late-by-60', '--host', 'localhost'], 150);
    const csr = await workshop.csr('renewed');
    assert.equal((await workshop.renew('present', csr)).status, 200);
    const grace = await workshop.renew('late-by-10', csr);
    assert.equal(grace.status, 200, text(grace));
    const over = await workshop.renew('late-by-60', csr);
    assert.deepEqual([over.status, text(over)], [403, 'the certificate ended too long ago to be renewed\n']);
    await workshop.zancudo(['device', 'revoke', 'present']);
    assert.equal((await workshop.renew('present', csr)).status, 403);
    const nobody = await workshop.ask('POST', `${est}/simplereenroll`, csr, { headers: pkcs10 });
    assert.equal(nobody.status, 403);
    const kit = 'late-by-10-kit/late-by-10';
    assert.notEqual((await workshop.type(workshop.pub('late-by-10', `${kit}.crt`, `${kit}.key`))).code, 0);
  });

  await t.test('a kit behind a link: looked at as often as you like, given out once, and worth nothing on the disk', async () => {
    const port = String(broker.port);
    const printed = await workshop.zancudo(['device', 'add', 'thing', '--link', '--host', 'localhost', '--port', port]);
    const path = /https:\/\/localhost:\d+(\/kit\/\S+)/.exec(printed)?.[1] ?? '';
    const parcels = join(workshop.home, 'parcels');
    const [file = ''] = readdirSync(parcels);
    assert.doesNotMatch(readFileSync(join(parcels, file), 'latin1'), /PRIVATE|BEGIN/);
    assert.equal(path.includes(file), false);
    for (let i = 0; i < 3; i++) {
      const page = await workshop.ask('GET', path);
      assert.match(text(page), /<form method="post">/);
      assert.equal(page.headers['cache-control'], 'no-store');
      assert.equal((await workshop.ask('HEAD', path)).status, 200);
    }
    const answers = await Promise.all([1, 2, 3].map(() => workshop.ask('POST', path)));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 404, 404]);
    const { body } = answers.find(({ status }) => status === 200)!;
    assert.match(body.toString('latin1'), /^PK[^]*thing\.key[^]*-----BEGIN PRIVATE KEY-----/);
    await until('the kit to be gone', () => readdirSync(parcels).length === 0);
    assert.equal((await workshop.ask('GET', path)).status, 404);
  }); // prettier-ignore

  await t.test('a request that comes a byte at a time is understood', async () => {
    const socket = connect({ host: '127.0.0.1', port: broker.port, ca: workshop.ca });
    let heard = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => (heard += chunk));
    for (const byte of 'GET /ca.crt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n') {
      socket.write(byte);
      await new Promise(resolve => setImmediate(resolve));
    }
    await until('the CA', () => heard.includes('END CERTIFICATE'));
    socket.destroy();
  });

  await t.test('neither a token nor a link stands in the log', () => {
    assert.doesNotMatch(broker.log, /[a-z0-9]{7}-[a-z0-9]{7}-[a-z0-9]{7}/);
  });
});
