/** The broker that createBroker gives: its settings are checked when it is made, everything else is opened by `start`. */
import { systemClock } from '../base/mod.ts';
import { viewOf } from '../broker/mod.ts';
import type { BrokerView, LogClass } from '../broker/ports.ts';
import type { Client, ConnectOptions, Message } from '../client/mod.ts';
import { loadConfiguration, loadConfigurationText, type LoadResult, type Settings } from '../conf/mod.ts';
import { BrokerLog } from '../observability/mod.ts';
import { assemble, type InlinePlugin, logMessages, type RunningBroker, unresolvableAddress } from '../server/mod.ts';
import { isValidTopicName } from '../topics/mod.ts';
import { BrokerError } from './broker-error.ts';
import { type Line, named, settingsLines, SOURCE } from './settings-text.ts';
import type { BrokerOptions, EmbeddedBroker, EmbeddedClient, LogLevel, OpenListener, PublishOptions } from './types.ts';

/** Options of a process that is the broker's own. */
const ofTheProcess = ['user', 'pid_file'];

/** What is told when nobody says what to tell. */
const quiet: LogClass[] = ['error', 'warning'];
const told: ReadonlySet<string> = new Set<LogLevel>(['error', 'warning', 'notice', 'information', 'debug']);

interface Running {
  broker: RunningBroker;
  view: BrokerView;
  log: BrokerLog;
  /** Ours, which end with the broker. */
  clients: Set<Client>;
}

export class BrokerInProcess implements EmbeddedBroker {
  readonly #options: BrokerOptions;
  readonly #lines: readonly Line[];
  #running: Running | null = null;

  constructor(options: BrokerOptions) {
    this.#options = options;
    this.#lines = options.configurationFile === undefined ? settingsLines(options) : [];
    this.#read();
  }

  async start(): Promise<void> {
    if (this.#running !== null) throw new BrokerError(['Error: The broker has been started already.']);
    const read = this.#read();
    const { settings } = read;
    const unknown = await unresolvableAddress(settings);
    if (unknown !== null) throw new BrokerError([...unknown.lines, ...unknown.explanation]);
    const log = this.#openLog(settings);
    logMessages(log, read.messages);
    for (const option of ofTheProcess) {
      if (option in settings.places)
        log.write('warning', `'${option}' is passed over: the process is not the broker's.`, 'conf.remark');
    }
    const plan = { home: null, settings, log, recorder: null, keylog: null, onPeer: null };
    const started = await assemble({ ...plan, inlinePlugins: inlineOf(this.#options) });
    if (!started.ok) {
      log.close();
      throw new BrokerError(named(started.lines, this.#lines));
    }
    const { running: broker } = started;
    nameFreePorts(broker);
    this.#running = { broker, view: viewOf(broker.broker), log, clients: new Set() };
  }

  async stop(): Promise<void> {
    const running = this.#running;
    if (running === null) return;
    this.#running = null;
    await Promise.all(Array.from(running.clients, client => client.disconnect()));
    await running.broker.stop();
    running.log.close();
  }

  get listeners(): readonly OpenListener[] {
    return (this.#running?.broker.listeners.opened ?? []).map(({ rules: { port, host, unixPath } }) => {
      return { port, host, unixSocket: unixPath };
    });
  }

  publish(topic: string, payload: string | Uint8Array = '', options: PublishOptions = {}): void {
    const { broker } = this.#present().broker;
    if (!isValidTopicName(topic)) throw new TypeError(`'${topic}' is no topic name`);
    broker.lookAtTheClock();
    broker.publish(topic, typeof payload === 'string' ? Buffer.from(payload) : Buffer.copyBytesFrom(payload), options);
  }

  async subscribe(filter: string, onMessage: (message: Message) => void): Promise<() => Promise<void>> {
    const client = await this.connect({ onMessage });
    const { reasonCodes } = await client.subscribe(filter);
    if (reasonCodes.every(code => code < REFUSED)) return () => client.disconnect();
    await client.disconnect();
    throw new TypeError(`'${filter}' was refused as a filter`);
  }

  async connect(options: ConnectOptions = {}): Promise<Client> {
    const { broker, clients } = this.#present();
    const [{ connect }, { wireInto }] = await Promise.all([import('../client/mod.ts'), import('./in-process.ts')]);
    const client = await connect({ reconnect: false, ...options, wire: () => wireInto(broker) });
    clients.add(client);
    void client.ended.then(() => clients.delete(client));
    return client;
  }

  clients(): EmbeddedClient[] {
    return Array.from(this.#present().view.clients(), ({ clientId, username, address, port, version }) => {
      return { clientId, username, address, port, version };
    });
  }

  disconnect(clientId: string): boolean {
    return this.#present().view.disconnect(clientId);
  }

  #present(): Running {
    if (this.#running !== null) return this.#running;
    throw new BrokerError(['Error: The broker is not running: call start() and wait for it.']);
  }

  #read(): Extract<LoadResult, { ok: true }> {
    const { configurationFile, listeners = [] } = this.#options;
    const result =
      configurationFile === undefined
        ? loadConfigurationText(this.#lines.map(({ text }) => `${text}\n`).join(''), SOURCE)
        : loadConfiguration(configurationFile, { ports: [] });
    if (!result.ok) {
      const { lines, explanation } = result.failure;
      throw new BrokerError(named([...lines, ...explanation], this.#lines));
    }
    if (configurationFile === undefined) withoutStandardListener(result.settings, listeners);
    return result;
  }

  #openLog(settings: Settings): BrokerLog {
    const { log: listen } = this.#options;
    const log = new BrokerLog({ clock: systemClock });
    const isSaid = 'log_dest' in settings.places;
    if (!isSaid && listen === undefined) settings.log.classes = quiet;
    if (!isSaid && listen !== undefined) settings.log.destinations = [];
    log.configure(settings.log);
    if (listen) log.overhear = (as, text) => void (told.has(as) && listen(as as LogLevel, text));
    return log;
  }
}

/** SUBACK: from here on it is a refusal (MQTT 5, 3.9.3). */
const REFUSED = 0x80;

/** A file without a listener opens port 1883; a program that names none wants none. */
function withoutStandardListener(settings: Settings, wanted: BrokerOptions['listeners'] = []): void {
  if (wanted.length === 0) settings.listeners = [];
  settings.localOnly = false;
  for (const [i, { port = 0, unixSocket }] of wanted.entries()) {
    const listener = settings.listeners[i];
    if (listener !== undefined && port === 0 && unixSocket === undefined) listener.port = 0;
  }
}

/** From now on the listener is called by the port that the system has given it. */
function nameFreePorts({ listeners }: RunningBroker): void {
  for (const { rules, addresses } of listeners.opened) {
    const [first] = addresses;
    if (rules.port !== 0 || rules.unixPath !== null || typeof first !== 'object') continue;
    rules.port = first.port;
    rules.name = `port ${first.port}`;
  }
}

function inlineOf({ plugins = [] }: BrokerOptions): InlinePlugin[] {
  return plugins.flatMap((plugin, i) => {
    if (typeof plugin === 'string' || 'path' in plugin) return [];
    return { name: `plugins[${i}]`, plugin: plugin };
  });
}
