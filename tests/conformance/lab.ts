/**
 * One broker for one test file, and the peers that talk to it.
 *
 *   const lab = await openLab();                 a broker with one open listener on a free port
 *   const client = await lab.client();           a version 5 connection with a client id of its own
 *   const peer = await lab.peer();               a connection on which nothing was said yet
 *
 * Everything is closed and deleted when the file's tests are over. To compare with another broker that reads
 * mosquitto.conf, name its program in ZANCUDO_TEST_BROKER.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after } from 'node:test';
import { startBroker } from '../harness/mod.ts';
import type { Broker, BrokerOptions, Place, Spawn } from '../harness/mod.ts';
import type { ConnectFields } from './bytes.ts';
import { Peer } from './raw.ts';

export interface LabOptions {
  /** Lines of mosquitto.conf in front of the first listener. */
  global?: string[];
  /** Lines behind each `listener`, four at most; one listener without lines of its own unless given. */
  listeners?: string[][];
  /** Files of the configuration's directory; `DIR` in a line stands for that directory. */
  files?: Record<string, string>;
}

let lastNumber = 0;
/** A name that no other test of this file uses: client ids, topics. */
export function unique(prefix: string): string {
  lastNumber += 1;
  return `${prefix}${lastNumber}`;
}

export class Lab {
  readonly broker: Broker;
  readonly #peers: Peer[] = [];

  constructor(broker: Broker) {
    this.broker = broker;
  }

  /** A connection to the listener of this index, on which nothing was said yet. */
  async peer(listener = 0): Promise<Peer> {
    const peer = await Peer.dial(this.broker.ports[listener]!);
    this.#peers.push(peer);
    return peer;
  }

  /** A connection whose CONNECT was accepted. */
  async client(fields: ConnectFields = {}, listener = 0): Promise<Peer> {
    const peer = await this.peer(listener);
    const connack = await peer.connect({ clientId: unique('client'), ...fields });
    assert.equal(connack.code, 0, `CONNECT was refused: ${connack.bytes.toString('hex')}`);
    return peer;
  }

  async close(): Promise<void> {
    for (const peer of this.#peers) peer.destroy();
    await this.broker.stop();
  }
}

function confText(options: LabOptions, at: Place): string {
  for (const [name, content] of Object.entries(options.files ?? {}))
    writeFileSync(join(at.directory, name), content, { mode: 0o600 });
  const lines = ['allow_anonymous true', ...(options.global ?? [])];
  const listeners = options.listeners ?? [[]];
  listeners.forEach((own, index) => lines.push(`listener ${at.port(index)} 127.0.0.1`, ...own));
  return lines.map(line => line.replaceAll('DIR', at.directory) + '\n').join('');
}

/** The broker under test: ours, or the one that ZANCUDO_TEST_BROKER names. */
const spawnBroker: Spawn = (program, args, options) =>
  spawn(process.env['ZANCUDO_TEST_BROKER'] ?? program, args, options);

/** Starts the broker of this file; it ends with the file's tests. */
export async function openLab(options: LabOptions = {}): Promise<Lab> {
  const conf: BrokerOptions['conf'] = at => confText(options, at);
  const lab = new Lab(await startBroker({ conf, spawn: spawnBroker }));
  after(() => lab.close());
  return lab;
}
