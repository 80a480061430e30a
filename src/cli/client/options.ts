/**
 * The options of `pub`, `sub` and `rr` as one table: parsing, --help, the man page and completion walk its rows.
 *
 * Names, order of evaluation and error lines are those of Mosquitto's tools; rows marked `ours` are Zancudo's own.
 */
import type { OptionRow } from '../command-page.ts';
import { invalid, type Draft, type Tool, type UsageError } from './draft.ts';
import { addProperty } from './property-argument.ts';
import { readProxyUrl, readUrl } from './url-arguments.ts';
import * as take from './take.ts';

/** The words behind an option's name. */
export interface Values {
  /** The next word; null at the end. */
  next(): string | null;
}

export interface ClientOption extends OptionRow {
  tools: readonly Tool[];
  /** What Mosquitto says when the argument is missing, behind `Error: `. */
  missing?: string;
  /** May take more words than one. */
  apply(draft: Draft, value: string, values: Values): UsageError | void;
}

const all: readonly Tool[] = ['pub', 'sub', 'rr'];
const receivers: readonly Tool[] = ['sub', 'rr'];
const senders: readonly Tool[] = ['pub', 'rr'];
const pub: readonly Tool[] = ['pub'];
const sub: readonly Tool[] = ['sub'];
const rr: readonly Tool[] = ['rr'];

const versions = ['mqttv5', '5', 'mqttv311', '311', 'mqttv31', '31'];

export const clientOptions: readonly ClientOption[] = [
  {
    short: '-A',
    argument: 'ADDRESS',
    tools: all,
    missing: '-A argument given but no address specified.',
    says: 'Connect from this address of the machine.',
    apply: (draft, value) => void (draft.bindAddress = value),
  },
  {
    long: '--cafile',
    argument: 'FILE',
    completes: 'file',
    tools: all,
    missing: '--cafile argument given but no file specified.',
    says: 'Trust the CAs in this file; TLS.',
    apply: (draft, value) => void (draft.cafile = value),
  },
  {
    long: '--capath',
    argument: 'DIR',
    completes: 'folder',
    tools: all,
    missing: '--capath argument given but no directory specified.',
    says: 'Trust the CAs in this folder; TLS.',
    apply: (draft, value) => void (draft.capath = value),
  },
  {
    long: '--cert',
    argument: 'FILE',
    completes: 'file',
    tools: all,
    missing: '--cert argument given but no file specified.',
    says: 'Client certificate; goes with --key.',
    apply: (draft, value) => void (draft.certfile = value),
  },
  {
    long: '--ciphers',
    argument: 'LIST',
    tools: all,
    missing: '--ciphers argument given but no ciphers specified.',
    says: "Ciphers of TLS 1.2 in OpenSSL's syntax.",
    apply: (draft, value) => void (draft.ciphers = value),
  },
  {
    short: '-C',
    argument: 'N',
    tools: sub,
    missing: '-C argument given but no count specified.',
    says: 'End after N printed messages.',
    apply: take.messageCount,
  },
  {
    short: '-c',
    long: '--disable-clean-session',
    tools: all,
    says: 'Keep the session at the broker when this client goes; needs -i.',
    apply: draft => void (draft.cleanStart = false),
  },
  {
    short: '-d',
    long: '--debug',
    tools: all,
    says: 'Print every packet as a line.',
    apply: draft => void (draft.debug = true),
  },
  {
    short: '-D',
    long: '--property',
    argument: 'COMMAND NAME VALUE',
    completes: ['connect', 'publish', 'subscribe', 'unsubscribe', 'disconnect', 'will'],
    tools: all,
    missing: '--property argument given but not enough arguments specified.',
    says: 'A property of MQTT 5 for one kind of packet, such as: publish content-type text/plain. A user-property has a key and a value.',
    apply: addProperty,
  },
  {
    short: '-e',
    argument: 'TOPIC',
    tools: rr,
    missing: '-e argument given but no response topic specified.',
    says: 'Where the response is expected.',
    apply: take.responseTopic,
  },
  {
    short: '-E',
    tools: sub,
    says: 'End once the subscriptions are acknowledged.',
    apply: draft => void (draft.exitAfterSubscribe = true),
  },
  {
    short: '-f',
    long: '--file',
    argument: 'FILE',
    completes: 'file',
    tools: senders,
    missing: '-f argument given but no file specified.',
    says: 'Send the content of this file as the message.',
    apply: take.file,
  },
  {
    short: '-F',
    argument: 'FORMAT',
    tools: receivers,
    missing: '-F argument given but no format specified.',
    says: 'How messages are printed, such as: %t %p. %j is JSON.',
    apply: (draft, value) => void (draft.format = value),
  },
  { long: '--help', tools: all, says: 'Show this text.', apply: () => ({ kind: 'help' }) },
  {
    short: '-h',
    long: '--host',
    argument: 'HOST',
    tools: all,
    missing: '-h argument given but no host specified.',
    says: 'The broker: localhost unless given.',
    apply: (draft, value) => void (draft.host = value),
  },
  {
    long: '--insecure',
    tools: all,
    says: "Do not check the broker's certificate: neither the name nor who issued it. Whoever stands between can read and change everything.",
    apply: draft => void (draft.insecure = true),
  },
  {
    short: '-i',
    long: '--id',
    argument: 'ID',
    tools: all,
    missing: '-i argument given but no id specified.',
    says: 'Client id; the broker makes one unless given.',
    apply: take.clientId,
  },
  {
    short: '-I',
    long: '--id-prefix',
    argument: 'PREFIX',
    tools: all,
    missing: '-I argument given but no id prefix specified.',
    says: 'Client id: this and the number of the process.',
    apply: take.clientIdPrefix,
  },
  {
    short: '-k',
    long: '--keepalive',
    argument: 'SECONDS',
    tools: all,
    missing: '-k argument given but no keepalive specified.',
    says: 'Keep alive: 60 unless given, 5 at least.',
    apply: take.keepAlive,
  },
  {
    long: '--key',
    argument: 'FILE',
    completes: 'file',
    tools: all,
    missing: '--key argument given but no file specified.',
    says: 'Private key of the client certificate.',
    apply: (draft, value) => void (draft.keyfile = value),
  },
  {
    long: '--keyform',
    argument: 'FORM',
    completes: ['pem'],
    tools: all,
    missing: '--keyform argument given but no keyform specified.',
    says: 'Form of the key: pem; OpenSSL engines are not supported.',
    apply: (draft, value) => void (draft.keyform = value),
  },
  {
    short: '-L',
    long: '--url',
    argument: 'URL',
    tools: all,
    missing: '-L argument given but no URL specified.',
    says: 'All in one: mqtt(s)://[user[:password]@]host[:port]/topic, or ws(s)://...',
    apply: readUrl,
  },
  {
    short: '-l',
    long: '--stdin-line',
    tools: pub,
    says: 'Send every line of standard input as a message.',
    apply: draft => take.messageMode(draft, { kind: 'lines' }),
  },
  {
    long: '--latency',
    tools: rr,
    says: 'Print how long the response took.',
    apply: draft => {
      draft.latency = true;
      draft.noDelay = true;
    },
  },
  {
    short: '-m',
    long: '--message',
    argument: 'TEXT',
    tools: senders,
    missing: '-m argument given but no message specified.',
    says: 'Send this text.',
    apply: take.text,
  },
  {
    short: '-M',
    argument: 'N',
    tools: all,
    missing: '-M argument given but max_inflight not specified.',
    says: 'Messages of QoS 1 and 2 on their way at once: 20 unless given.',
    apply: take.inflightMax,
  },
  {
    long: '--message-rate',
    tools: sub,
    says: 'Print only how many messages come in a second.',
    apply: draft => void (draft.messageRate = true),
  },
  {
    long: '--nodelay',
    tools: all,
    says: 'Send small packets at once (TCP_NODELAY).',
    apply: draft => void (draft.noDelay = true),
  },
  {
    long: '--no-tls',
    tools: all,
    says: 'No TLS, whatever other options and the port say.',
    apply: draft => void (draft.noTls = true),
  },
  {
    short: '-n',
    long: '--null-message',
    tools: senders,
    says: 'Send an empty message; with -r it clears a retained topic.',
    apply: draft => take.messageMode(draft, { kind: 'null' }),
  },
  {
    short: '-N',
    tools: receivers,
    says: 'No newline behind a message.',
    apply: draft => void (draft.newline = false),
  },
  {
    short: '-o',
    argument: 'FILE',
    completes: 'file',
    tools: all,
    missing: '-o argument given but no options file specified.',
    says: 'Read options from this file instead of the usual one, one per line.',
    // Looked for before all others, because what the file says comes first.
    apply: () => undefined,
  },
  {
    short: '-p',
    long: '--port',
    argument: 'PORT',
    tools: all,
    missing: '-p argument given but no port specified.',
    says: '1883 unless given, 8883 with TLS.',
    apply: take.port,
  },
  {
    long: '--pretty',
    tools: receivers,
    says: 'JSON on several lines.',
    apply: draft => void (draft.pretty = true),
  },
  {
    long: '--profile',
    argument: 'NAME',
    tools: all,
    ours: true,
    missing: '--profile argument given but no name specified.',
    says: "Broker, CA and user as 'zancudo profile' keeps them. The one named default is used when no option says where to connect.",
    apply: (draft, value) => void (draft.profile = value),
  },
  {
    long: '--proxy',
    argument: 'URL',
    tools: all,
    missing: '--proxy argument given but no proxy url specified.',
    says: 'SOCKS5 proxy: socks5h://[user[:password]@]host[:port]',
    apply: readProxyUrl,
  },
  {
    long: '--psk',
    argument: 'KEY',
    tools: all,
    missing: '--psk argument given but no key specified.',
    says: 'Pre-shared key in hexadecimal, instead of certificates; TLS.',
    apply: (draft, value) => void (draft.psk = value),
  },
  {
    long: '--psk-identity',
    argument: 'NAME',
    tools: all,
    missing: '--psk-identity argument given but no identity specified.',
    says: 'Whose key it is.',
    apply: (draft, value) => void (draft.pskIdentity = value),
  },
  {
    short: '-P',
    long: '--pw',
    argument: 'PASSWORD',
    tools: all,
    missing: '-P argument given but no password specified.',
    says: 'Password. Other users of the machine can see it; a profile keeps it to yourself.',
    apply: (draft, value) => void (draft.password = value),
  },
  {
    short: '-q',
    long: '--qos',
    argument: 'QOS',
    completes: ['0', '1', '2'],
    tools: all,
    missing: '-q argument given but no QoS specified.',
    says: 'Quality of service: 0 unless given.',
    apply: take.qos,
  },
  {
    long: '--quiet',
    tools: all,
    says: 'No error messages while running.',
    apply: draft => void (draft.quiet = true),
  },
  {
    short: '-r',
    long: '--retain',
    tools: pub,
    says: 'The broker keeps the message for those who subscribe later.',
    apply: draft => void (draft.retain = true),
  },
  {
    short: '-R',
    tools: receivers,
    says: 'Do not print retained messages.',
    apply: draft => {
      draft.noRetained = true;
      draft.retainHandling = 2;
    },
  },
  {
    long: '--random-filter',
    argument: 'PERCENT',
    tools: sub,
    missing: '--random-filter argument given but no chance specified.',
    says: 'Print only about so many of a hundred messages.',
    apply: take.randomFilter,
  },
  {
    long: '--remove-retained',
    tools: sub,
    says: 'Clear every retained message that comes; -T spares some.',
    apply: draft => void (draft.removeRetained = true),
  },
  {
    long: '--repeat',
    argument: 'N',
    tools: pub,
    missing: '--repeat argument given but no count specified.',
    says: 'Send the message of -f, -m, -n or -s N times.',
    apply: take.repeat,
  },
  {
    long: '--repeat-delay',
    argument: 'SECONDS',
    tools: pub,
    missing: '--repeat-delay argument given but no time specified.',
    says: 'Wait so long between them.',
    apply: take.repeatDelay,
  },
  {
    long: '--retain-as-published',
    tools: receivers,
    says: 'MQTT 5: messages keep the retain flag they were sent with.',
    apply: draft => void (draft.retainAsPublished = true),
  },
  {
    long: '--retain-handling',
    argument: 'WHEN',
    completes: ['always', 'new', 'never'],
    tools: receivers,
    missing: '--retain-handling argument given but no option specified.',
    says: 'MQTT 5: whether retained messages are sent: always, new (only for a new subscription) or never.',
    apply: take.retainHandling,
  },
  {
    long: '--retained-only',
    tools: sub,
    says: 'Print retained messages, and end at the first that is not.',
    apply: draft => void (draft.retainedOnly = true),
  },
  {
    short: '-s',
    long: '--stdin-file',
    tools: senders,
    says: 'Send all of standard input as one message.',
    apply: draft => take.messageMode(draft, { kind: 'stdin' }),
  },
  {
    short: '-S',
    tools: all,
    says: 'Look the broker up by the SRV records of the domain given with -h.',
    apply: draft => void (draft.srv = true),
  },
  {
    short: '-t',
    long: '--topic',
    argument: 'TOPIC',
    tools: all,
    missing: '-t argument given but no topic specified.',
    says: 'Where to send; for sub a filter, as often as needed.',
    apply: (draft, value) => take.topic(draft, value, '-t'),
  },
  {
    short: '-T',
    long: '--filter-out',
    argument: 'FILTER',
    tools: sub,
    missing: '-T argument given but no topic filter specified.',
    says: 'Do not print topics that match; as often as needed.',
    apply: take.filterOut,
  },
  {
    long: '--tls-alpn',
    argument: 'PROTOCOL',
    tools: all,
    missing: '--tls-alpn argument given but no protocol specified.',
    says: 'Application protocol for TLS (ALPN).',
    apply: (draft, value) => void (draft.alpn = value),
  },
  {
    long: '--tls-engine',
    argument: 'ENGINE',
    tools: all,
    missing: '--tls-engine argument given but no engine_id specified.',
    says: 'OpenSSL engines are not supported: refused.',
    apply: (draft, value) => void (draft.tlsEngine = value),
  },
  {
    long: '--tls-engine-kpass-sha1',
    argument: 'SHA1',
    tools: all,
    missing: '--tls-engine-kpass-sha1 argument given but no kpass sha1 specified.',
    says: 'Goes with --tls-engine.',
    apply: (draft, value) => void (draft.tlsEngineKpassSha1 = value),
  },
  {
    long: '--tls-keylog',
    argument: 'FILE',
    completes: 'file',
    tools: all,
    missing: '--tls-keylog argument given but no file specified.',
    says: 'Append TLS secrets to this file, for debugging with Wireshark.',
    apply: (draft, value) => void (draft.tlsKeylog = value),
  },
  {
    long: '--tls-use-os-certs',
    tools: all,
    says: 'Trust the CAs of the operating system; TLS.',
    apply: draft => void (draft.osCertificates = true),
  },
  {
    long: '--tls-version',
    argument: 'VERSION',
    completes: ['tlsv1.2', 'tlsv1.3'],
    tools: all,
    missing: '--tls-version argument given but no version specified.',
    says: 'The least version of TLS: tlsv1.2 unless given, or tlsv1.3.',
    apply: (draft, value) => void (draft.tlsVersion = value),
  },
  {
    long: '--tree',
    tools: sub,
    ours: true,
    says: 'Show a tree of topics with their last values and rates, and keep it up to date.',
    apply: draft => void (draft.tree = true),
  },
  {
    short: '-U',
    long: '--unsubscribe',
    argument: 'FILTER',
    tools: sub,
    missing: '-U argument given but no unsubscribe topic specified.',
    says: 'Unsubscribe this filter once connected; as often as needed.',
    apply: take.unsubscribe,
  },
  {
    short: '-u',
    long: '--username',
    argument: 'NAME',
    tools: all,
    missing: '-u argument given but no username specified.',
    says: 'User name.',
    apply: (draft, value) => void (draft.username = value),
  },
  {
    long: '--unix',
    argument: 'PATH',
    completes: 'file',
    tools: all,
    missing: '--unix argument given but no socket path specified.',
    says: 'Connect to a Unix socket.',
    apply: (draft, value) => void (draft.unixSocket = value),
  },
  {
    short: '-V',
    long: '--protocol-version',
    argument: 'VERSION',
    completes: versions,
    tools: all,
    missing: '--protocol-version argument given but no version specified.',
    says: 'Version of MQTT: 311 unless given (rr: 5), 5 or 31.',
    apply: take.protocolVersion,
  },
  {
    short: '-v',
    long: '--verbose',
    tools: receivers,
    says: 'Print the topic before the message.',
    apply: draft => void (draft.verbose = true),
  },
  { long: '--version', tools: all, says: 'Show the version.', apply: () => ({ kind: 'version' }) },
  {
    short: '-W',
    argument: 'SECONDS',
    tools: receivers,
    missing: '-W argument given but no timeout specified.',
    says: 'End after so long, with exit code 27.',
    apply: take.timeout,
  },
  {
    short: '-w',
    long: '--watch',
    tools: sub,
    says: 'Give every topic a line of its own on the screen.',
    apply: draft => void (draft.watch = true),
  },
  {
    long: '--will-payload',
    argument: 'TEXT',
    tools: all,
    missing: '--will-payload argument given but no will payload specified.',
    says: 'What the broker sends when this client is lost: empty unless given.',
    apply: (draft, value) => void (draft.willPayload = value),
  },
  {
    long: '--will-qos',
    argument: 'QOS',
    completes: ['0', '1', '2'],
    tools: all,
    missing: '--will-qos argument given but no will QoS specified.',
    says: 'Its quality of service: 0 unless given.',
    apply: take.willQos,
  },
  {
    long: '--will-retain',
    tools: all,
    says: 'The broker keeps it.',
    apply: draft => void (draft.willRetain = true),
  },
  {
    long: '--will-topic',
    argument: 'TOPIC',
    tools: all,
    missing: '--will-topic argument given but no will topic specified.',
    says: 'Where it is sent.',
    apply: take.willTopic,
  },
  {
    long: '--ws',
    tools: all,
    says: 'MQTT inside WebSocket, at the path /mqtt.',
    apply: draft => void (draft.websocket = true),
  },
  {
    short: '-x',
    argument: 'SECONDS',
    tools: all,
    missing: '-x argument given but no session expiry interval specified.',
    says: 'MQTT 5: how long the session outlives the connection; -1 is for ever.',
    apply: take.sessionExpiry,
  },
];

export function optionsOf(tool: Tool): readonly ClientOption[] {
  return clientOptions.filter(row => row.tools.includes(tool));
}

/** Missing arguments are told in Mosquitto's words. */
export function missingArgument(option: ClientOption): UsageError {
  return invalid(`${option.missing ?? ''}`, true);
}
