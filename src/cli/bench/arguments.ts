/** The arguments of `bench`: its own, and of the clients those that say where the broker is and who we are there. */
import { scenarioNames, stampBytes, type Draft as Load, type ScenarioName } from '../../bench/mod.ts';
import type { CommandPage, OptionRow } from '../command-page.ts';
import { newDraft, type Draft } from '../client/draft.ts';
import { clientOptions } from '../client/options.ts';
import { nearestName } from '../nearest-name.ts';

export interface Wish {
  draft: Draft;
  scenarios: ScenarioName[];
  load: Partial<Load>;
  json: boolean;
  /** To load a broker that is not on this machine. */
  isAgreed: boolean;
}

interface BenchOption extends OptionRow {
  long: string;
  /** Returns what is wrong with the value. */
  apply(wish: Wish, value: string): string | void;
}

type Amount = { [K in keyof Load]-?: NonNullable<Load[K]> extends number ? K : never }[keyof Load];

function amount(field: Amount, least: number, most: number): BenchOption['apply'] {
  return (wish, value) => {
    const number = Number(value);
    if (!(number >= least && number <= most)) return `'${value}' is not between ${least} and ${most}.`;
    (wish.load as Record<string, number>)[field] = number;
  };
}

const flag = (field: 'persistent' | 'resume' | 'subscribed'): BenchOption['apply'] => {
  return wish => void (wish.load[field] = true);
};

const largest = 16 << 20;

export const benchOptions: readonly BenchOption[] = [
  { long: '--batch', argument: 'N', says: 'QoS 0: least messages that are sent at a time.', apply: amount('batch', 1, 1e6) },
  { long: '--cap', argument: 'N', says: 'Undelivered messages of one publisher.', apply: amount('cap', 1, 1e6) },
  { long: '--connections', argument: 'N', says: 'idle: connections that are kept open; 1000 unless given.', apply: amount('connections', 1, 1e6) },
  { long: '--concurrency', argument: 'N', says: 'Connections being opened at a time.', apply: amount('concurrency', 1, 1e4) },
  { long: '--count', argument: 'N', says: 'Messages (connect: connections) in all, instead of --seconds.', apply: amount('count', 1, 1e7) },
  { long: '--filters', argument: 'N', says: 'tree: subscriptions; 3000 unless given.', apply: amount('filters', 3, 3e6) },
  { long: '--help', says: 'Show this text.', apply: () => undefined },
  { long: '--json', says: 'Print every figure, for programs.', apply: wish => void (wish.json = true) },
  { long: '--nap', argument: 'MICROSECONDS', says: 'Pause after a turn that read little, so that wake-ups are shared; 100 at QoS 0 and 50 above unless given, 0 for none.', apply: amount('napMicros', 0, 10_000) },
  { long: '--persistent', says: 'Subscribers have sessions that outlive the connection.', apply: flag('persistent') },
  { long: '--pid', argument: 'PID', says: "The broker's process on this machine: its CPU time and memory are told; as often as needed.", apply: takePid },
  { long: '--publishers', argument: 'N', says: 'How many send.', apply: amount('publishers', 1, 50_000) },
  { long: '--rate', argument: 'N', says: 'latency: messages a second in all; 1000 unless given.', apply: amount('rate', 1, 1e6) },
  { long: '--resume', says: 'connect: TLS sessions are taken up again.', apply: flag('resume') },
  { long: '--scenario', argument: 'NAME', completes: [...scenarioNames], says: 'What is done, as listed below; as often as needed. Unless given, a short tour.', apply: takeScenario },
  { long: '--seconds', argument: 'N', says: 'How long messages are sent; 10 unless given, 3 in the tour.', apply: amount('seconds', 0.1, 300) },
  { long: '--size', argument: 'BYTES', says: 'Payload; 64 unless given.', apply: amount('size', stampBytes, largest) },
  { long: '--subscribed', says: 'idle: each connection has a subscription.', apply: flag('subscribed') },
  { long: '--subscribers', argument: 'N', says: 'How many receive.', apply: amount('subscribers', 1, 50_000) },
  { long: '--topic', argument: 'PREFIX', says: 'First levels of all topics: bench unless given.', apply: takePrefix },
  { long: '--window', argument: 'N', says: 'QoS 1 and 2: unacknowledged messages of one publisher; 20 unless given.', apply: amount('window', 1, 65_535) },
  { long: '--yes', says: 'Load a broker that is not on this machine without being asked.', apply: wish => void (wish.isAgreed = true) },
]; // prettier-ignore

function takeScenario(wish: Wish, value: string): string | void {
  const name = scenarioNames.find(each => each === value);
  if (name !== undefined) return void wish.scenarios.push(name);
  const meant = nearestName(value, scenarioNames);
  return `no scenario '${value}' is known.${meant === null ? '' : ` Did you mean '${meant}'?`}`;
}

function takePid(wish: Wish, value: string): string | void {
  const pid = Number(value);
  if (!Number.isInteger(pid) || pid < 1) return `'${value}' is no process id.`;
  wish.load.brokerPids = [...(wish.load.brokerPids ?? []), pid];
}

function takePrefix(wish: Wish, value: string): string | void {
  if (value === '' || value.length > 60 || /[+#$\0]/.test(value)) return `'${value}' is no prefix of a topic.`;
  wish.load.prefix = value;
}

/** Rows of the clients that a load generator can keep to. */
const shared = [
  '-A', '--cafile', '--capath', '--cert', '--ciphers', '-h', '--insecure', '--key', '--no-tls', '-p', '--profile',
  '--proxy', '--psk', '--psk-identity', '-P', '-q', '--tls-alpn', '--tls-use-os-certs', '--tls-version', '-u', '--unix',
  '-V', '--ws',
]; // prettier-ignore
const connectionOptions = clientOptions.filter(row => shared.includes(row.short ?? row.long ?? ''));

const scenarioRows: Record<ScenarioName, string> = {
  p2p: 'Pairs of one publisher and one subscriber, as fast as the windows allow.',
  fanout: 'One publisher, many subscribers.',
  fanin: 'Many publishers, one subscriber.',
  shared: 'Many publishers, and subscribers that share the messages.',
  latency: 'Evenly paced pairs. Each message counts from when it was due, whatever became of those before it.',
  tree: 'Many subscriptions, then messages of which each matches three.',
  retained: 'Retained messages on --count topics, then a subscriber who gets them all.',
  offline: 'Messages that wait for a subscriber who is away, then its return.',
  idle: 'Connections without traffic.',
  connect: 'Connect and disconnect, over and over; over TLS the handshakes.',
};

export const benchPage: CommandPage = {
  command: 'bench',
  summary: 'measures a broker: throughput, latency, memory',
  usage: ['[HOST] [-p PORT] [--cafile FILE] [--scenario NAME ...] [--seconds N] [--json]'],
  about: [
    'Any broker that speaks MQTT 3.1.1 or 5. Every message is numbered: what is lost, comes twice or out of order is told, and the exit code says it. Without options it takes the profile named default, as pub and sub do.',
    'A broker on another machine is loaded only after you have said so a second time.',
  ],
  options: [...connectionOptions, ...benchOptions].sort(byName),
  operands: [{ name: 'HOST', says: 'The same as -h HOST.' }],
  chapters: [{ title: 'Scenarios', rows: scenarioNames.map(name => ({ usage: name, says: scenarioRows[name] })) }],
  exitCodes: [
    { code: '0', when: 'Every message came once and in order.' },
    { code: '1', when: 'No connection, or messages that were lost, repeated or out of order.' },
    { code: '2', when: 'The command line cannot be understood.' },
  ],
};

function byName(a: OptionRow, b: OptionRow): number {
  const name = ({ short, long }: OptionRow): string => (long ?? short ?? '').replace(/^-+/, '').toLowerCase();
  return name(a) < name(b) ? -1 : 1;
}

/** Returns what is wrong, or 'help'. */
export function readBenchArguments(args: readonly string[]): Wish | string {
  const wish: Wish = { draft: newDraft('pub'), scenarios: [], load: {}, json: false, isAgreed: false };
  for (let at = 0; at < args.length; at++) {
    const word = args[at]!;
    if (word === '--help') return 'help';
    if (!word.startsWith('-')) {
      if (wish.draft.host !== undefined) return `'${word}': there is one HOST, and it was given.`;
      wish.draft.host = word;
      continue;
    }
    const row = [...benchOptions, ...connectionOptions].find(each => each.long === word || each.short === word);
    if (row === undefined) return unknown(word);
    const value = row.argument === undefined ? '' : args[++at];
    if (value === undefined) return `${word} needs ${row.argument}.`;
    const fault = isOurs(row) ? row.apply(wish, value) : ofClient(row, wish, value);
    if (fault) return `${word}: ${fault}`;
  }
  return complete(wish);
}

const isOurs = (row: BenchOption | (typeof connectionOptions)[number]): row is BenchOption => !('tools' in row);

function ofClient(row: (typeof connectionOptions)[number], wish: Wish, value: string): string | void {
  const outcome = row.apply(wish.draft, value, { next: () => null });
  if (outcome && outcome.kind === 'error') return outcome.line.replace(/^Error: /, '');
  if (row.short === '-q') wish.load.qos = wish.draft.qos;
}

function complete(wish: Wish): Wish | string {
  wish.load.version = wish.draft.version;
  if (wish.draft.version === 3) return '-V: MQTT 3.1.1 and 5 are measured.';
  if (wish.scenarios.includes('offline') && wish.load.qos === 0) return '-q: nothing waits for the absent at QoS 0.';
  return wish;
}

function unknown(word: string): string {
  const names = [...benchOptions, ...connectionOptions].flatMap(row => [row.long, row.short].filter(name => name !== undefined)); // prettier-ignore
  const meant = word.startsWith('--') ? nearestName(word, names) : null;
  return `unknown option '${word}'.${meant === null ? '' : ` Did you mean '${meant}'?`}`;
}
