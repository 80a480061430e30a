/**
 * Real servers for tests, as ordinary processes in folders of their own, on free ports: started, stopped, held still,
 * given back. As root each runs as the user of its Debian package, which it insists on.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram, freePort, needs, patienceMs, run, temporaryDirectory, until } from '../harness/mod.ts';

/** The one of Debian, whichever version it brings. */
function postgresqlFolder(): string | null {
  try {
    const [version] = readdirSync('/usr/lib/postgresql').sort().reverse();
    return version === undefined ? null : `/usr/lib/postgresql/${version}/bin`;
  } catch {
    return null;
  }
}

export const skipPostgresql = needs(`${postgresqlFolder() ?? '/usr/lib/postgresql'}/initdb`);
export const skipMariadb = needs('mariadbd', 'mariadb-install-db');

function as(user: string, command: string): [string, string[]] {
  const setpriv = findProgram('setpriv');
  if (process.getuid?.() !== 0 || setpriv === null) return [command, []];
  return [setpriv, ['--reuid', user, '--regid', user, '--clear-groups', '--pdeathsig', 'KILL', '--', command]];
}

export interface Recipe {
  /** The user of Debian's package. */
  user: string;
  /** Makes what the server needs before its first start. */
  prepare: (server: Server) => Promise<void>;
  command: (server: Server) => { program: string; args: string[] };
  /** Rejects while it does not answer. */
  ping: (server: Server) => Promise<void>;
}

export class Server {
  readonly port: number;
  readonly folder: string;
  private readonly recipe: Recipe;
  private readonly remove: () => void;
  private child: ChildProcess | null = null;
  private said = '';

  private constructor(recipe: Recipe, port: number, folder: string, remove: () => void) {
    this.recipe = recipe;
    this.port = port;
    this.folder = folder;
    this.remove = remove;
  }

  static async start(recipe: Recipe): Promise<Server> {
    const directory = temporaryDirectory();
    const server = new Server(recipe, await freePort(), directory.path, () => directory.remove());
    await server.own(directory.path);
    await recipe.prepare(server);
    await server.start();
    return server;
  }

  /** Runs a program of the server's as its user. */
  async run(program: string, ...args: string[]): Promise<void> {
    const [command, before] = as(this.recipe.user, program);
    const { code, output } = await run(command, [...before, ...args], { cwd: this.folder, withinMs: 3 * patienceMs });
    if (code !== 0) throw new Error(`${program} ended with ${code}:\n${output}`);
  }

  write(name: string, text: string): string {
    const path = join(this.folder, name);
    writeFileSync(path, text);
    chmodSync(path, 0o644);
    return path;
  }

  async makeFolder(name: string): Promise<string> {
    const path = join(this.folder, name);
    mkdirSync(path);
    await this.own(path);
    return path;
  }

  async start(): Promise<void> {
    const { program, args } = this.recipe.command(this);
    const [command, before] = as(this.recipe.user, program);
    const child = spawn(command, [...before, ...args], { cwd: this.folder, stdio: ['ignore', 'pipe', 'pipe'] });
    this.child = child;
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (this.said += chunk.toString()));
    await until(
      `${program} to answer`,
      () => {
        if (child.exitCode !== null) throw new Error(`${program} ended with ${child.exitCode}:\n${this.said}`);
        return this.recipe.ping(this).then(
          () => true,
          () => false,
        );
      },
      3 * patienceMs,
    );
  }

  /** Holds it still: connections stay open, and nothing is answered. */
  hold(): void {
    this.signal('SIGSTOP');
  }

  giveBack(): void {
    this.signal('SIGCONT');
  }

  async stop(): Promise<void> {
    const { child } = this;
    if (child === null) return;
    this.child = null;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    signalAll(child, 'SIGKILL');
    await ended;
  }

  async end(): Promise<void> {
    await this.stop();
    this.remove();
  }

  private signal(name: NodeJS.Signals): void {
    if (this.child !== null) signalAll(this.child, name);
  }

  /** With all that is in it. */
  async own(path: string): Promise<void> {
    if (process.getuid?.() === 0) await run('chown', ['-R', `${this.recipe.user}:`, path]);
  }
}

/** PostgreSQL has a process for each connection, and each is the leader of its own group. */
function signalAll({ pid }: ChildProcess, name: NodeJS.Signals): void {
  if (pid === undefined) return;
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  for (const each of [pid, ...children]) process.kill(each, name);
}

export const postgresql: Recipe = {
  user: 'postgres',
  async prepare(server) {
    await server.run(`${postgresqlFolder()}/initdb`, '-D', join(server.folder, 'data'), '-U', 'postgres', '-A', 'trust', '--no-sync', '-E', 'UTF8', '--locale', 'C'); // prettier-ignore
  },
  command: ({ folder, port }) => ({
    program: `${postgresqlFolder()}/postgres`,
    args: ['-D', join(folder, 'data'), '-p', String(port), '-h', '127.0.0.1', '-k', folder, '-F'],
  }),
  async ping({ port }) {
    await askPostgresql(port, 'SELECT 1');
  },
};

export async function askPostgresql(port: number, ...statements: string[]): Promise<void> {
  const { default: pg } = await import('pg');
  const client = new pg.Client({ host: '127.0.0.1', port, user: 'postgres', database: 'postgres' });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}

export const mariadb: Recipe = {
  user: 'mysql',
  async prepare(server) {
    const data = await server.makeFolder('data');
    await server.run('mariadb-install-db', '--no-defaults', `--datadir=${data}`, '--auth-root-authentication-method=normal', '--skip-test-db', '--innodb-flush-log-at-trx-commit=0'); // prettier-ignore
  },
  command: ({ folder, port }) => ({
    program: findProgram('mariadbd') ?? 'mariadbd',
    args: [
      '--no-defaults',
      `--datadir=${join(folder, 'data')}`,
      `--port=${port}`,
      '--bind-address=127.0.0.1',
      `--socket=${join(folder, 'mariadb.sock')}`,
      `--pid-file=${join(folder, 'mariadb.pid')}`,
      '--innodb-flush-log-at-trx-commit=0',
      '--character-set-server=utf8mb4',
    ],
  }),
  async ping({ port }) {
    await askMariadb(port, 'SELECT 1');
  },
};

export async function askMariadb(port: number, ...statements: string[]): Promise<void> {
  const { createConnection } = await import('mariadb');
  const connection = await createConnection({ host: '127.0.0.1', port, user: 'root', connectTimeout: 2000 });
  try {
    for (const statement of statements) await connection.query(statement);
  } finally {
    await connection.end();
  }
}

export const skipRedis = needs('redis-server');
export const skipLdap = needs('slapd', 'ldapadd', '/etc/ldap/schema/core.ldif');

export const redis: Recipe = {
  user: 'redis',
  prepare: () => Promise.resolve(),
  command: ({ folder, port }) => ({
    program: findProgram('redis-server') ?? 'redis-server',
    args: ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'yes'],
  }),
  async ping({ port }) {
    await askRedis(port, ['PING']);
  },
};

export async function askRedis(port: number, ...commands: [string, ...string[]][]): Promise<void> {
  const { Redis } = await import('ioredis');
  const client = new Redis({ port, lazyConnect: true, maxRetriesPerRequest: 0, retryStrategy: () => null });
  client.on('error', () => undefined);
  try {
    await client.connect();
    for (const [name, ...args] of commands) await client.call(name, ...args);
  } finally {
    client.disconnect();
  }
}

export const ldapAdmin = 'cn=admin,dc=example,dc=org';

export const openldap: Recipe = {
  user: 'openldap',
  async prepare(server) {
    await server.makeFolder('data');
    server.write(
      'slapd.conf',
      `include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile ${server.folder}/slapd.pid
database mdb
maxsize 67108864
suffix "dc=example,dc=org"
rootdn "${ldapAdmin}"
rootpw secret
directory ${server.folder}/data
`,
    );
  },
  command: ({ folder, port }) => ({
    program: findProgram('slapd') ?? 'slapd',
    args: ['-f', join(folder, 'slapd.conf'), '-h', `ldap://127.0.0.1:${port}`, '-d', '0'],
  }),
  async ping({ port }) {
    const { Client } = await import('ldapts');
    const client = new Client({ url: `ldap://127.0.0.1:${port}`, timeout: 2000, connectTimeout: 2000 });
    await client.bind(ldapAdmin, 'secret');
    await client.unbind();
  },
};
