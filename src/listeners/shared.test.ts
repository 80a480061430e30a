/**
 * What the tests of this folder share: a small certificate authority made with openssl, listeners on free ports, and a
 * broker that only remembers who came in. OpenSSL makes the certificates so that nothing of ours vouches for itself.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Link, LinkEnd, ListenerRules, LogClass, Meter, Peer } from '../broker/ports.ts';
import { createMeter } from '../observability/mod.ts';
import { judgeClient, verdictOfOpenSsl } from '../pki/mod.ts';
import { WriteScheduler } from '../transport/mod.ts';
import { ListenerSet } from './listener-set.ts';
import type { ListenerOptions, ListenerSetOptions, TlsOptions } from './options.ts';

export function missing(program: string, ...args: string[]): string | false {
  try {
    execFileSync(program, args.length > 0 ? args : ['--help'], { stdio: 'ignore' });
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? `${program} is not installed` : false;
  }
}

/** Certificates in a directory of their own: `ca.crt`, `server.crt`, `alice.crt`, ... */
export class CertificateDirectory {
  readonly path = mkdtempSync(join(tmpdir(), 'zancudo-listeners-'));

  constructor() {
    this.authority('ca', '/CN=Test CA');
    this.leaf('server', '/CN=localhost', 'subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth');
    this.leaf('alice', '/O=Org/CN=alice', 'extendedKeyUsage=clientAuth');
  }

  file(name: string): string {
    return join(this.path, name);
  }

  authority(name: string, subject: string): void {
    const usage = ['-addext', 'keyUsage=critical,keyCertSign,cRLSign'];
    this.openssl('req', '-x509', ...this.newKey(name), '-out', this.file(`${name}.crt`), '-subj', subject, ...usage);
  }

  /** `dates` are OpenSSL's, such as `20200101000000Z`. */
  leaf(
    name: string,
    subject: string,
    extensions: string,
    by = 'ca',
    dates: readonly [string, string] | null = null,
  ): void {
    const [crt, csr, ext] = [this.file(`${name}.crt`), this.file(`${name}.csr`), this.file(`${name}.ext`)];
    writeFileSync(ext, `${extensions}\n`);
    this.openssl('req', ...this.newKey(name), '-out', csr, '-subj', subject);
    if (dates === null) {
      const issuer = ['-CA', this.file(`${by}.crt`), '-CAkey', this.file(`${by}.key`), '-CAcreateserial'];
      this.openssl('x509', '-req', '-in', csr, ...issuer, '-out', crt, '-days', '2', '-extfile', ext);
      return;
    }
    const span = ['-startdate', dates[0], '-enddate', dates[1]];
    this.openssl('ca', ...this.database(by), '-in', csr, '-out', crt, ...span, '-extfile', ext, '-notext');
  }

  revoke(name: string, by = 'ca'): void {
    this.openssl('ca', ...this.database(by), '-revoke', this.file(`${name}.crt`));
  }

  list(by = 'ca', file = 'crl.pem'): void {
    this.openssl('ca', ...this.database(by), '-gencrl', '-crldays', '2', '-out', this.file(file));
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }

  private newKey(name: string): string[] {
    return ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', this.file(`${name}.key`)];
  }

  private database(by: string): string[] {
    const config = this.file(`${by}.cnf`);
    const lines = [
      '[ca]\ndefault_ca=d\n[d]',
      `database=${this.file(`${by}.index`)}`,
      `new_certs_dir=${this.path}\nrand_serial=yes\ndefault_md=sha256\nunique_subject=no\npolicy=p`,
      '[p]\ncommonName=supplied\norganizationName=optional\n',
    ];
    writeFileSync(config, lines.join('\n'));
    writeFileSync(this.file(`${by}.index`), '', { flag: 'a' });
    return ['-batch', '-config', config, '-cert', this.file(`${by}.crt`), '-keyfile', this.file(`${by}.key`)];
  }

  private openssl(...args: string[]): void {
    execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  }
}

/** A link that was handed over, with everything it received. */
export interface Arrived {
  link: Link;
  peer: Peer;
  bytes: Buffer;
  end: LinkEnd | null;
}

export class Broker {
  readonly lines: { as: LogClass; text: string }[] = [];
  readonly arrived: Arrived[] = [];
  readonly meter: Meter = createMeter();
  readonly options: ListenerSetOptions;
  readonly listeners: ListenerSet;
  private readonly waiting: (() => void)[] = [];

  constructor(t: TestContext, changes: Partial<ListenerSetOptions> = {}) {
    this.options = {
      log: {
        debug: false,
        subscribe: false,
        unsubscribe: false,
        connections: true,
        write: (as, text) => this.note(as, text),
      },
      meter: this.meter,
      limits: {
        globalMaxConnections: -1,
        maxPendingConnections: -1,
        handshakeTimeoutMs: 20_000,
        httpHeaderBytesMax: 4095,
        noDelay: true,
      },
      onLink: (link, peer) => this.welcome(link, peer),
      onHttp: socket => socket.destroy(),
      pendingConnects: () => 0,
      explain: () => ['explained'],
      turnsAway: () => null,
      judge: (chain, trust) => judgeClient(chain, trust, Date.now()),
      judgementOfOpenssl: verdictOfOpenSsl,
      passForExpired: () => null,
      keylog: null,
      ...changes,
    };
    this.listeners = new ListenerSet(this.options, new WriteScheduler());
    t.after(async () => {
      for (const { link } of this.arrived) link.destroy();
      await this.listeners.close();
    });
  }

  get text(): string {
    return this.lines.map(({ text }) => text).join('\n');
  }

  /** Opens one listener on 127.0.0.1 and gives its port. */
  async open(changes: Partial<ListenerOptions> = {}, rules: Partial<ListenerRules> = {}): Promise<number> {
    await this.listeners.open([listenerOptions(changes, rules)]);
    const [address] = this.listeners.opened[0]!.addresses;
    return typeof address === 'object' ? address.port : 0;
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>(resolve => this.waiting.push(resolve));
  }

  async untilLine(pattern: RegExp): Promise<void> {
    await this.until(() => pattern.test(this.text));
  }

  async next(count = 1): Promise<Arrived> {
    await this.until(() => this.arrived.length >= count);
    return this.arrived[count - 1]!;
  }

  private welcome(link: Link, peer: Peer): void {
    const arrived: Arrived = { link, peer, bytes: Buffer.alloc(0), end: null };
    link.handler = {
      onBytes: chunk => {
        arrived.bytes = Buffer.concat([arrived.bytes, chunk]);
        this.wake();
      },
      onDrain: () => this.wake(),
      onClose: end => {
        arrived.end = end;
        this.wake();
      },
    };
    this.arrived.push(arrived);
    this.wake();
  }

  private note(as: LogClass, text: string): void {
    this.lines.push({ as, text });
    this.wake();
  }

  private wake(): void {
    for (const resolve of this.waiting.splice(0)) resolve();
  }
}

export function listenerOptions(changes: Partial<ListenerOptions>, rules: Partial<ListenerRules>): ListenerOptions {
  const all: ListenerRules = {
    name: 'port 8883',
    port: 0,
    host: '127.0.0.1',
    unixPath: null,
    protocol: 'mqtt',
    acceptProtocolVersions: [3, 4, 5],
    allowAnonymous: true,
    allowZeroLengthClientId: true,
    autoIdPrefix: 'auto-',
    maxConnections: -1,
    maxQos: 2,
    maxTopicAlias: 10,
    maxTopicAliasBroker: 10,
    persistence: true,
    mountPoint: '',
    requireCertificate: false,
    requestCertificate: false,
    useIdentityAsUsername: false,
    useSubjectAsUsername: false,
    useUsernameAsClientId: false,
    ...rules,
  };
  const none = {
    socketDomain: null,
    bindInterface: null,
    tls: null,
    proxyProtocol: 0,
    proxyRequiresTls: false,
  } as const;
  return { ...none, websocketOrigins: [], http: false, ...changes, rules: all };
}

export function tlsOptions(certificates: CertificateDirectory, changes: Partial<TlsOptions> = {}): TlsOptions {
  return {
    certificates: [{ certFile: certificates.file('server.crt'), keyFile: certificates.file('server.key') }],
    caFile: certificates.file('ca.crt'),
    caPath: null,
    crlFile: null,
    minVersion: null,
    ciphers: null,
    ciphersTls13: null,
    groups: null,
    alpn: [],
    forgiveDates: false,
    psk: null,
    ...changes,
  };
}

export function dial(t: TestContext, port: number): Socket {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  t.after(() => socket.destroy());
  return socket;
}

/** Runs a client program until the test ends or it leaves; its output is kept. */
export class Program {
  readonly child: ChildProcess;
  output = '';
  readonly ended: Promise<number | null>;

  constructor(t: TestContext, program: string, ...args: string[]) {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.child = child;
    const keep = (chunk: Buffer): void => void (this.output += chunk.toString());
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.stdin.on('error', () => {});
    this.ended = new Promise(resolve => child.once('close', resolve));
    t.after(async () => {
      child.kill();
      await this.ended;
    });
  }

  type(text: string): void {
    this.child.stdin?.write(text);
  }
}
