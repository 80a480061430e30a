/**
 * The brokers side by side: Zancudo of a checkout, Debian's Mosquitto, aedes from npm. Each is started for one
 * measurement on a free port, with the same settings: anonymous, queues without limit, else its own defaults; ours
 * with an access file of 100 rules in force.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, openSync, closeSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');

export interface Setup {
  tls: boolean;
  /** An RSA certificate instead of ECDSA. */
  rsa: boolean;
  durable: boolean;
  /** Key exchange that Zancudo is held to; Debian's Mosquitto knows no newer one than X25519. */
  groups: string | null;
  /** Lines of the access file. */
  rules: number;
}

export interface BrokerKind {
  name: string;
  version(): string | null;
  /** What is run, with its configuration in `folder`. */
  command(port: number, setup: Setup, folder: string): { program: string; args: string[] };
  /** Rules of the access file where none are asked for. */
  rules: number;
}

export interface Running {
  pid: number;
  port: number;
  /** The certificate to trust; null without TLS. */
  cafile: string | null;
  /** Resident kB a moment after the start. */
  stop(): Promise<void>;
}

const readyMs = 15_000;

export const zancudoOf = (checkout: string, name = 'zancudo'): BrokerKind => ({
  name,
  version: () => firstLine(join(checkout, 'bin/zancudo'), ['--version'])?.replace(/^zancudo (version )?/i, '') ?? null,
  command: (port, setup, folder) => ({
    program: join(checkout, 'bin/zancudo'),
    args: ['-c', writeConf(port, setup, folder, setup.groups === null ? [] : [`tls_groups ${setup.groups}`])],
  }),
  rules: 100,
});

const mosquittoPath = ['/usr/sbin/mosquitto', '/usr/local/sbin/mosquitto', '/opt/homebrew/sbin/mosquitto'].find(
  existsSync,
);

const mosquitto: BrokerKind = {
  name: 'mosquitto',
  version: () =>
    mosquittoPath === undefined ? null : (firstLine(mosquittoPath, ['-h'])?.replace(/^.*version /, '') ?? null),
  command: (port, setup, folder) => ({
    program: mosquittoPath ?? 'mosquitto',
    args: ['-c', writeConf(port, setup, folder)],
  }),
  rules: 0,
};

const aedes: BrokerKind = {
  name: 'aedes',
  version: () => packageVersion('aedes'),
  command: (port, setup, folder) => ({
    program: process.execPath,
    args: [
      join(root, 'bench/aedes.ts'),
      String(port),
      ...(setup.tls ? [join(folder, 'cert.pem'), join(folder, 'key.pem')] : []),
    ],
  }),
  rules: 0,
};

export const brokerKinds: readonly BrokerKind[] = [zancudoOf(root), mosquitto, aedes];

function firstLine(program: string, args: readonly string[]): string | null {
  return /\S.*/.exec(spawnSync(program, args, { encoding: 'utf8' }).stdout ?? '')?.[0] ?? null;
}

function packageVersion(name: string): string | null {
  const path = join(root, 'node_modules', name, 'package.json');
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version : null;
}

/** The same text for Zancudo and Mosquitto, but for lines of the listener that only one of them knows. */
function writeConf(port: number, setup: Setup, folder: string, own: readonly string[] = []): string {
  const lines = [
    `listener ${port} 127.0.0.1`,
    ...own,
    ...(setup.tls ? [`certfile ${join(folder, 'cert.pem')}`, `keyfile ${join(folder, 'key.pem')}`] : []),
    'allow_anonymous true',
    'max_queued_messages 0',
    'max_queued_bytes 0',
    ...(setup.durable ? ['persistence true', `persistence_location ${folder}/`] : []),
    ...(setup.rules > 0 ? [`acl_file ${writeRules(setup.rules, folder)}`] : []),
    ...(process.getuid?.() === 0 ? ['user root'] : []),
  ];
  const path = join(folder, 'broker.conf');
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}

/** The rules that let the load pass are the last: whoever looks through them looks through all. mqload has `ret` and `tree`. */
function writeRules(count: number, folder: string): string {
  const kinds = ['house/%/lamp', 'house/%/+/state', 'plant/%/#'];
  const others = Array.from(
    { length: count - 3 },
    (_, at) => `topic readwrite ${kinds[at % 3]!.replace('%', String(at))}`,
  );
  const path = join(folder, 'rules.acl');
  writeFileSync(
    path,
    `${[...others, ...['ret', 'tree', 'bench'].map(level => `topic readwrite ${level}/#`)].join('\n')}\n`,
    { mode: 0o600 },
  );
  return path;
}

/** For a day and this machine only. */
function writeCertificate(folder: string, rsa: boolean): string {
  const kind = rsa ? ['rsa:2048'] : ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const made = spawnSync(
    'openssl',
    ['req', '-x509', '-newkey', ...kind, '-nodes', '-days', '1', '-subj', '/CN=bench', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert],
    { encoding: 'utf8' },
  ); // prettier-ignore
  if (made.status !== 0) throw new Error(`openssl, which makes the certificate for TLS, failed: ${made.stderr ?? ''}`);
  return cert;
}

export async function startBroker(kind: BrokerKind, wanted: Partial<Setup> = {}): Promise<Running> {
  const setup: Setup = { tls: false, rsa: false, durable: false, groups: null, rules: kind.rules, ...wanted };
  const folder = mkdtempSync(join(tmpdir(), `zancudo-bench-${kind.name}-`));
  const cafile = setup.tls ? writeCertificate(folder, setup.rsa) : null;
  const port = await freePort();
  const { program, args } = kind.command(port, setup, folder);
  const log = openSync(join(folder, 'log'), 'w');
  const child = spawn(program, args, { cwd: folder, stdio: ['ignore', log, log] });
  closeSync(log);
  const running: Running = {
    pid: child.pid ?? 0,
    port,
    cafile,
    stop: async () => {
      await end(child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
  if (await isUp(child, port)) return running;
  const said = readFileSync(join(folder, 'log'), 'utf8').trim();
  await running.stop();
  throw new Error(`${kind.name} did not start: ${program} ${args.join(' ')}\n${said}`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const killer = setTimeout(() => child.kill('SIGKILL'), readyMs);
  await ended;
  clearTimeout(killer);
}

async function isUp(child: ChildProcess, port: number): Promise<boolean> {
  child.once('error', () => undefined);
  for (const until = Date.now() + readyMs; Date.now() < until;) {
    if (child.exitCode !== null || child.pid === undefined) return false;
    if (await answers(port)) return true;
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  return false;
}

function answers(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
