/**
 * The machine of a tutorial: Debian with the mosquitto package just installed, its addresses and names, and Zancudo
 * in the place of the broker. It lives in a network namespace; its /etc/mosquitto, /var/lib/mosquitto,
 * /var/log/mosquitto and /run are its own.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  Background,
  Namespace,
  needs,
  refusedStart,
  run,
  startBroker,
  temporaryDirectory,
  until,
  zancudo,
  type Broker,
  type BrokerOptions,
  type NamespaceOptions,
  type RunResult,
} from '../harness/mod.ts';

const folders = ['/etc/mosquitto', '/var/lib/mosquitto', '/var/log/mosquitto'];
const mainConf = '/etc/mosquitto/mosquitto.conf';
const logFile = '/var/log/mosquitto/mosquitto.log';

/** The broker's last word at its start. */
export const saysRunning = /version \S+ running$/m;

/** Takes what programs send to /dev/log and prints it: the part of a syslog daemon that a test needs. */
const syslogDaemon = `
import os, socket, sys
path = sys.argv[1]
log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
log.bind(path)
os.chmod(path, 0o666)
print('listening', flush=True)
while True:
    print(log.recv(65536).decode('utf8', 'replace').rstrip('\\0\\n'), flush=True)
`;

/** What Debian's package writes there. */
const debianConf = `pid_file /run/mosquitto/mosquitto.pid

persistence true
persistence_location /var/lib/mosquitto/

log_dest file ${logFile}

include_dir /etc/mosquitto/conf.d
`;

export const machineNeeds = (...more: string[]): ReturnType<typeof needs> =>
  needs('root', 'ip', 'openssl', 'mosquitto_passwd', 'mosquitto_sub', 'mosquitto_pub', ...folders, ...more);

export class DebianMachine {
  readonly namespace: Namespace;
  /** Where the reader types: a folder outside the machine's own. */
  readonly home: string;
  readonly #directory = temporaryDirectory();
  readonly #mosquitto: [uid: number, gid: number];

  constructor(options: Pick<NamespaceOptions, 'addresses' | 'hosts'>) {
    this.namespace = new Namespace({ ...options, folders: [...folders, '/run'], ownDevices: true });
    this.#mosquitto = [idOf('-u'), idOf('-g')];
    this.home = join(this.#directory.path, 'home');
    mkdirSync(this.home);
    this.write(join(this.#directory.path, 'bin/sudo'), '#!/bin/sh\nexec "$@"\n', 0o755);
    for (const folder of ['certs', 'ca_certificates', 'conf.d']) mkdirSync(this.outside(`/etc/mosquitto/${folder}`));
    for (const folder of ['/var/lib/mosquitto', '/var/log/mosquitto', '/run/mosquitto']) {
      mkdirSync(this.outside(folder), { recursive: true });
      chownSync(this.outside(folder), ...this.#mosquitto);
    }
    this.configure(mainConf, debianConf);
  }

  /** From now on mosquitto_pub, mosquitto_sub and mosquitto_passwd are ours. */
  async installOurTools(): Promise<void> {
    const result = await run(zancudo, ['aliases', join(this.#directory.path, 'bin')]);
    if (result.code !== 0) throw new Error(result.output);
  }

  /** Where a file of the machine lies for the test. */
  outside(inside: string): string {
    return this.namespace.outside(inside);
  }

  /** Writes a file of the machine, as an editor started by root would. */
  configure(inside: string, text: string): void {
    this.write(this.outside(inside), text, 0o644);
  }

  write(path: string, text: string, mode = 0o644): void {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    chmodSync(path, mode);
  }

  /** Types command lines at a terminal-less shell: what a program asks for, it reads from `typed`. */
  type(script: string, options: { cwd?: string; typed?: string } = {}): Promise<RunResult> {
    return this.namespace.run('setsid', ['-w', '/bin/sh', '-c', `export PATH=${this.#path}; ${script}`], {
      cwd: options.cwd ?? this.home,
      input: options.typed ?? '',
    });
  }

  /** The same, for a program that stays, such as a subscriber. */
  leaveRunning(line: string, cwd = this.home): Background {
    const script = `export PATH=${this.#path}; exec ${line}`;
    return new Background('/bin/sh', ['-c', script], { cwd, spawn: this.namespace.spawn });
  }

  /** Starts the broker as Debian's service does. */
  startBroker(options: BrokerOptions = {}): Promise<Broker> {
    return startBroker({ ...this.#service(), isReady: broker => saysRunning.test(this.log(broker)), ...options });
  }

  /** Starts it, expecting that it refuses; what it said on the terminal and in its log file. */
  async refusal(): Promise<{ code: number | null; log: string }> {
    const result = await refusedStart(this.#service());
    return { code: result.code, log: result.log + this.logFile };
  }

  /** Starts a syslog daemon; its standard output is the log. */
  async startSyslog(): Promise<Background> {
    const daemon = new Background('/usr/bin/python3', ['-c', syslogDaemon, this.outside('/dev/log')]);
    await daemon.says('listening');
    return daemon;
  }

  get logFile(): string {
    const path = this.outside(logFile);
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  }

  /** Everything that the broker said, wherever it says it. */
  log(broker: Broker): string {
    return broker.log + '\n' + this.logFile;
  }

  /** Waits until it has said something that matches; what it had said before `from` does not count. */
  async logged(broker: Broker, pattern: RegExp, from = 0): Promise<void> {
    const said = (): string => this.log(broker).slice(from);
    await until(`${pattern} in the log`, () => pattern.test(said())).catch((error: Error) => {
      throw new Error(`${error.message}, which has:\n${said()}`);
    });
  }

  /** The correction for a key that `cp` left to root: Debian's broker runs as the user mosquitto. */
  letMosquittoRead(inside: string): void {
    chownSync(this.outside(inside), 0, this.#mosquitto[1]);
    chmodSync(this.outside(inside), 0o640);
  }

  remove(): void {
    this.namespace.remove();
    this.#directory.remove();
  }

  get #path(): string {
    return `${join(this.#directory.path, 'bin')}:/usr/sbin:/usr/bin:/sbin:/bin`;
  }

  #service(): BrokerOptions {
    rmSync(this.outside(logFile), { force: true });
    return { confPath: mainConf, cwd: '/', spawn: this.namespace.spawn, dropPrivileges: true };
  }
}

function idOf(flag: string): number {
  return Number(execFileSync('id', [flag, 'mosquitto'], { encoding: 'utf8' }));
}
