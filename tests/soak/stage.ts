/**
 * The stage of a soak: the broker that is watched, another one behind a bridge, and a wire between them that can be cut.
 *
 *   crowd, streams ──> broker A ── bridge ──> Wire ──> broker B <── streams
 *                        │  home: CA, devices          (killed, started again)
 *                        └─ disk: a folder, or a file system of its own that can be filled
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, connect, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TlsOptions } from '../../src/client/mod.ts';
import { fillDisk, hasOwnMounts } from '../crash/own-disk.ts';
import { type Broker, freePort, run, startBroker, temporaryDirectory, until, zancudo } from '../harness/mod.ts';

/** Of the file system that is filled: a store of this size, its log of 16 MB and a backup have room in it. */
const DISK_MB = 192;

export interface Kit {
  name: string;
  tls: TlsOptions;
}

export class Stage {
  readonly #directory = temporaryDirectory();
  readonly ports: { plain: number; tls: number; other: number; wire: number };
  readonly wire: Wire;
  broker!: Broker;
  other!: Broker;
  /** Of those that were killed. */
  readonly #otherLines: string[] = [];
  kits: Kit[] = [];
  /** True when the disk can be filled without harm to others. */
  readonly ownDisk: boolean;
  /** Changes with every reload. */
  generation = 0;

  private constructor(ports: Stage['ports']) {
    this.ports = ports;
    this.wire = new Wire(ports.wire, ports.other);
    for (const folder of ['disk', 'data', 'other', 'kits']) mkdirSync(join(this.#directory.path, folder));
    this.ownDisk = hasOwnMounts() && this.#mount();
  }

  static async build(devices: number): Promise<Stage> {
    const [plain, tls, other, wire] = [await freePort(), await freePort(), await freePort(), await freePort()];
    const stage = new Stage({ plain, tls, other, wire });
    await stage.ask('ca', 'init', 'localhost', '--home', stage.home);
    await stage.addDevices(devices);
    await stage.wire.open();
    await stage.startOther();
    await stage.start();
    return stage;
  }

  get home(): string {
    return join(this.#directory.path, 'home');
  }

  get disk(): string {
    return join(this.#directory.path, 'disk');
  }

  get probe(): string {
    return join(this.#directory.path, 'probe');
  }

  get socket(): string {
    return join(this.#directory.path, 'operators');
  }

  async start(): Promise<void> {
    this.writeConfiguration();
    rmSync(this.probe, { force: true });
    this.broker = await startBroker({
      confPath: this.configuration,
      env: {
        NODE_OPTIONS: `--import ${fileURLToPath(new URL('./probe.mjs', import.meta.url))}`,
        ZANCUDO_SOAK_PROBE: this.probe,
      },
    });
  }

  async startOther(): Promise<void> {
    const location = join(this.#directory.path, 'other');
    this.other = await startBroker({
      conf: `listener ${this.ports.other} 127.0.0.1
allow_anonymous true
persistence true
persistence_location ${location}/
max_queued_messages 0
connection_messages false
`,
    });
  }

  /** A command of ours; its standard output, or an error with all that it said. */
  async ask(...args: string[]): Promise<string> {
    const { code, stdout, output } = await run(zancudo, args, { withinMs: 60_000 });
    if (code !== 0) throw new Error(`zancudo ${args.join(' ')} ended with ${code}: ${output}`);
    return stdout;
  }

  askBroker(...args: string[]): Promise<string> {
    return this.ask(...args, '--socket', this.socket);
  }

  #devices = 0;

  async addDevices(count: number): Promise<void> {
    const names = Array.from({ length: count }, () => `device-${++this.#devices}`);
    await this.ask('device', 'add', ...names, '--home', this.home, '--to', this.#kits);
    this.kits.push(...names.map(name => ({ name, tls: this.#tlsOf(name) })));
  }

  /** The same key, another certificate; kits are made anew, so the one before makes room. */
  async renewDevice(kit: Kit): Promise<void> {
    const folder = join(this.#directory.path, 'renewed', String(this.generation++));
    await this.ask('device', 'renew', kit.name, '--home', this.home, '--to', folder);
    kit.tls = { ...kit.tls, cert: readFileSync(join(folder, `${kit.name}-kit`, `${kit.name}.crt`)) };
    rmSync(folder, { recursive: true });
  }

  writeConfiguration(): void {
    const { plain, tls, wire } = this.ports;
    const { home } = this;
    writeFileSync(
      this.configuration,
      `ca_home ${home}
admin_socket ${this.socket}
persistence true
persistence_location ${this.disk}/
connection_messages false
max_queued_messages ${20_000 + this.generation}
max_connection_rate 0
sys_interval 5
listener ${plain} 127.0.0.1
allow_anonymous true
listener ${tls} 127.0.0.1
certfile ${home}/server/server.crt
keyfile ${home}/server/server.key
cafile ${home}/clients/trusted.crt
crlfile ${home}/clients/revoked.crl
require_certificate true
use_identity_as_username true
connection soak
address 127.0.0.1:${wire}
bridge_protocol_version mqttv50
remote_clientid soak-bridge
keepalive_interval 5
restart_timeout 1 2
topic ledger/over/# out 2
topic ledger/back/# in 2
user root
`,
    );
  }

  /** Leaves not a page free; the store's next commit fails. */
  fillDisk(): void {
    fillDisk(this.#ballast);
  }

  relieveDisk(): void {
    rmSync(this.#ballast, { force: true });
  }

  async killOther(): Promise<void> {
    this.other.signal('SIGKILL');
    await until('the other broker to be dead', () => this.other.hasEnded);
    await this.other.stop();
    this.#otherLines.push(...this.other.lines);
  }

  /** What the other brokers have said since this was asked last. */
  takeOtherLines(): string[] {
    return [...this.#otherLines.splice(0), ...this.other.lines.splice(0)];
  }

  async kill(): Promise<void> {
    this.broker.signal('SIGKILL');
    await until('the broker to be dead', () => this.broker.hasEnded);
    await this.broker.stop();
  }

  async remove(): Promise<void> {
    this.wire.close();
    await Promise.all([this.broker.stop(), this.other.stop()]);
    if (this.ownDisk) spawnSync('umount', [this.disk]);
    this.#directory.remove();
  }

  get configuration(): string {
    return join(this.#directory.path, 'soak.conf');
  }

  get #kits(): string {
    return join(this.#directory.path, 'kits');
  }

  get #ballast(): string {
    return join(this.disk, 'ballast');
  }

  #tlsOf(name: string): TlsOptions {
    const folder = join(this.#kits, `${name}-kit`);
    const read = (file: string): Buffer => readFileSync(join(folder, file));
    return { ca: [read('ca.crt')], cert: read(`${name}.crt`), key: read(`${name}.key`) };
  }

  #mount(): boolean {
    return spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MB}m`, 'tmpfs', this.disk]).status === 0;
  }
}

/** A TCP line that can be cut as by a firewall: nothing arrives, nothing is refused, nobody is told. */
export class Wire {
  readonly #from: number;
  readonly #to: number;
  readonly #pairs = new Set<[Socket, Socket]>();
  #server: Server | null = null;
  #cut = false;

  constructor(from: number, to: number) {
    this.#from = from;
    this.#to = to;
  }

  open(): Promise<void> {
    const server = createServer(near => this.#join(near));
    this.#server = server;
    return new Promise(resolve => server.listen(this.#from, '127.0.0.1', resolve));
  }

  cut(): void {
    this.#cut = true;
    for (const pair of this.#pairs) for (const socket of pair) socket.pause();
  }

  /** What was cut in between is gone for good, as after a router was replaced. */
  mend(): void {
    this.#cut = false;
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy();
  }

  close(): void {
    this.mend();
    this.#server?.close();
  }

  #join(near: Socket): void {
    const far = connect(this.#to, '127.0.0.1');
    const pair: [Socket, Socket] = [near, far];
    this.#pairs.add(pair);
    const end = (): void => {
      this.#pairs.delete(pair);
      near.destroy();
      far.destroy();
    };
    for (const socket of pair) socket.on('error', end).on('close', end);
    near.on('data', chunk => far.write(chunk));
    far.on('data', chunk => near.write(chunk));
    if (this.#cut) for (const socket of pair) socket.pause();
  }
}
