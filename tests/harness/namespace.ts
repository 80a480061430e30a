/**
 * A machine inside the machine: a network namespace with addresses, ports and files of its own.
 *
 *   addresses   on lo, so that a tutorial's 192.168.1.20 exists and port 8883 is always free
 *   files       bind mounts, so that /etc/mosquitto and /etc/hosts are the test's and not the machine's
 *
 * `ip netns exec` gives every command a private mount table, in which a small shell line does the binding before it
 * becomes the command; nothing is left to unmount afterwards.
 */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  findProgram,
  run,
  spawnMortal,
  temporaryDirectory,
  type RunOptions,
  type RunResult,
  type Spawn,
} from './machine.ts';

export interface NamespaceOptions {
  /** Addresses on lo beside 127.0.0.1 and ::1. */
  addresses?: readonly string[];
  /** Names for /etc/hosts: name to address. */
  hosts?: Readonly<Record<string, string>>;
  /** Absolute folders that every command sees as empty folders of its own, for example /etc/mosquitto. */
  folders?: readonly string[];
  /** Gives it a /dev of its own, with the devices that programs need and room for a /dev/log. */
  ownDevices?: boolean;
}

const devices = ['null', 'zero', 'full', 'random', 'urandom', 'tty'];

/** Binds every pair of paths of its first argument, then becomes the command. */
const bindAndExec = `
binds=$1; shift
while [ -n "$binds" ]; do
  pair=\${binds%%;*}; binds=\${binds#*;}
  mount --rbind "\${pair%%=*}" "\${pair#*=}" || exit 125
done
exec "$@"`;

export class Namespace {
  readonly name = `zancudo-${process.pid}-${randomBytes(3).toString('hex')}`;
  readonly #directory = temporaryDirectory();
  readonly #binds: string;

  constructor(options: NamespaceOptions = {}) {
    this.#ip('netns', 'add', this.name);
    this.#ip('-n', this.name, 'link', 'set', 'lo', 'up');
    for (const address of options.addresses ?? []) this.#ip('-n', this.name, 'address', 'add', address, 'dev', 'lo');
    const hosts = Object.entries(options.hosts ?? {}).map(([name, address]) => `${address} ${name}\n`);
    const hostsFile = join(this.#directory.path, 'hosts');
    writeFileSync(hostsFile, `127.0.0.1 localhost\n::1 localhost\n${hosts.join('')}`);
    const folders = (options.folders ?? []).map(folder => `${this.#makeFolder(folder)}=${folder}`);
    if (options.ownDevices) folders.push(...this.#devices());
    this.#binds = [`${hostsFile}=/etc/hosts`, ...folders].map(bind => `${bind};`).join('');
  }

  /** The folder outside that is seen as `inside` within the namespace. */
  outside(inside: string): string {
    return join(this.#directory.path, 'files', inside);
  }

  readonly spawn: Spawn = (command, args, options) => {
    const wrapped = ['netns', 'exec', this.name, '/bin/sh', '-c', bindAndExec, 'sh', this.#binds, command, ...args];
    return spawnMortal(findProgram('ip') ?? 'ip', wrapped, options);
  };

  run(command: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    return run(command, args, { ...options, spawn: this.spawn });
  }

  remove(): void {
    this.#ip('netns', 'del', this.name);
    this.#directory.remove();
  }

  #makeFolder(inside: string): string {
    const path = this.outside(inside);
    mkdirSync(path, { recursive: true });
    return path;
  }

  /** The machine's devices are bound into a folder, and then that folder over /dev. */
  #devices(): string[] {
    const folder = this.#makeFolder('/dev');
    for (const name of devices) writeFileSync(join(folder, name), '');
    return [...devices.map(name => `/dev/${name}=${join(folder, name)}`), `${folder}=/dev`];
  }

  #ip(...args: string[]): void {
    const result = spawnSync(findProgram('ip') ?? 'ip', args, { encoding: 'utf8' });
    if (result.status !== 0) throw new Error(`ip ${args.join(' ')}: ${result.stderr}`);
  }
}
