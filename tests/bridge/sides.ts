/** Both ends of a bridge in one test: brokers on ports of their own that come back where they were, and clients of other people. */
import type { TestContext } from 'node:test';
import { connect as connectSocket } from 'node:net';
import { spawn as spawnChild } from 'node:child_process';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import {
  type Broker,
  findProgram,
  freePort,
  type Spawn,
  startBroker,
  temporaryDirectory,
  until,
} from '../harness/mod.ts';

/** A broker that can be killed and started again on the same port with the same files. */
export class Side {
  readonly port: number;
  readonly directory: string;
  broker: Broker;
  private readonly start: () => Promise<Broker>;

  constructor(port: number, directory: string, broker: Broker, start: () => Promise<Broker>) {
    this.port = port;
    this.directory = directory;
    this.broker = broker;
    this.start = start;
  }

  get log(): string {
    return this.broker.log;
  }

  async kill(): Promise<void> {
    this.broker.signal('SIGKILL');
    await until('the broker to be dead', () => this.broker.hasEnded);
  }

  async comeBack(): Promise<void> {
    this.broker = await this.start();
  }
}

export interface SideOptions {
  /** Lines of the configuration below the listener; told its directory. */
  conf?: (directory: string) => string;
  durable?: boolean;
  mosquitto?: boolean;
  /** Instead of a listener for everybody. */
  listener?: (port: number, directory: string) => string;
  port?: number;
  directory?: string;
}

export async function side(t: TestContext, options: SideOptions = {}): Promise<Side> {
  const place = temporaryDirectory();
  const directory = options.directory ?? place.path;
  const port = options.port ?? (await freePort());
  const listener = options.listener?.(port, directory) ?? `listener ${port} 127.0.0.1\nallow_anonymous true\n`;
  const store = options.durable === true ? `persistence true\npersistence_location ${directory}/\n` : '';
  const start = (): Promise<Broker> =>
    startBroker({
      conf: `${listener}${store}max_queued_messages 0\n${options.conf?.(directory) ?? ''}`,
      ...(options.mosquitto === true ? { spawn: asMosquitto, isReady: canConnect(port) } : {}),
    });
  const result = new Side(port, directory, await start(), start);
  t.after(async () => {
    await result.broker.stop();
    place.remove();
  });
  return result;
}

/** Debian's broker in the place of ours. */
const asMosquitto: Spawn = (_program, args, options) => spawnChild(findProgram('mosquitto')!, args, options);

function canConnect(port: number): () => Promise<boolean> {
  return () =>
    new Promise(resolve => {
      const socket = connectSocket(port, '127.0.0.1', () => (socket.destroy(), resolve(true)));
      socket.on('error', () => resolve(false));
    });
}

/** Connected, with everything that it was sent in `got`. */
export class Watcher {
  readonly client: MqttClient;
  readonly got: { topic: string; text: string; retain: boolean; qos: number }[] = [];

  constructor(client: MqttClient) {
    this.client = client;
    client.on('message', (topic, payload, { retain, qos }) =>
      this.got.push({ topic, text: payload.toString(), retain, qos }),
    );
    client.on('error', () => undefined);
  }

  texts(topic: string): string[] {
    return this.got.filter(message => message.topic === topic).map(({ text }) => text);
  }

  async has(topic: string, text: string): Promise<void> {
    await until(`${text} on ${topic}`, () => this.texts(topic).includes(text)).catch((error: Error) => {
      throw new Error(`${error.message}; it got ${JSON.stringify(this.got.slice(-20))}`);
    });
  }
}

export async function watch(
  t: TestContext,
  port: number,
  filters: string[],
  options: IClientOptions = {},
): Promise<Watcher> {
  const client = mqtt.connect(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 100, connectTimeout: 2000, ...options });
  t.after(() => client.endAsync(true));
  const watcher = new Watcher(client);
  await until('the client to be connected', () => client.connected);
  if (filters.length > 0) await client.subscribeAsync(filters, { qos: 2 });
  return watcher;
}

export async function connected(bridging: Side, times = 1): Promise<void> {
  await until(
    'the bridge to be connected',
    () => bridging.broker.lines.filter(line => /Bridge \S+ is connected/.test(line)).length >= times,
  ).catch((error: Error) => {
    throw new Error(`${error.message}; the log has:\n${bridging.log}`);
  });
}
