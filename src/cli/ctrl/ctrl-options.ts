/**
 * The options of `ctrl`, in front of the module's name: the table, and the way from words to a Draft.
 *
 *   options file (lines `-h host`) ──┐
 *   command line up to the module ───┴─> Draft      the command line has the last word
 */
import type { Qos } from '../../client/mod.ts';
import type { Completion } from '../command-page.ts';
import { nearestName } from '../nearest-name.ts';
import { parseProxy, parseUrl } from './ctrl-urls.ts';

export interface Draft {
  host: string | null;
  port: number | null;
  unixSocket: string | null;
  bindAddress: string | null;
  clientId: string | null;
  username: string | null;
  password: string | null;
  version: 3 | 4 | 5;
  qos: Qos;
  cafile: string | null;
  capath: string | null;
  useSystemCas: boolean;
  cert: string | null;
  key: string | null;
  keyForm: string | null;
  ciphers: string | null;
  alpn: string | null;
  tlsVersion: string | null;
  engine: string | null;
  enginePassword: string | null;
  insecure: boolean;
  psk: string | null;
  pskIdentity: string | null;
  proxy: { host: string; port: number; username: string | null; password: string | null } | null;
  optionsFile: string | null;
  dataFile: string | null;
  debug: boolean;
  verbose: boolean;
  quiet: boolean;
}

export function newDraft(): Draft {
  return {
    host: null,
    port: null,
    unixSocket: null,
    bindAddress: null,
    clientId: null,
    username: null,
    password: null,
    version: 5,
    qos: 1,
    cafile: null,
    capath: null,
    useSystemCas: false,
    cert: null,
    key: null,
    keyForm: null,
    ciphers: null,
    alpn: null,
    tlsVersion: null,
    engine: null,
    enginePassword: null,
    insecure: false,
    psk: null,
    pskIdentity: null,
    proxy: null,
    optionsFile: null,
    dataFile: null,
    debug: false,
    verbose: false,
    quiet: false,
  };
}

export interface CtrlOption {
  short?: string;
  long?: string;
  argument?: string;
  /** What Mosquitto calls the argument when it is missing. */
  missing?: string;
  completes?: Completion;
  says: string;
  /** Mosquitto's line for a value that cannot be, or 'help'. */
  apply: (draft: Draft, value: string) => string | undefined;
}

type TextField = {
  [Name in keyof Draft]: Draft[Name] extends string | null ? Name : never;
}[keyof Draft];

const text =
  (field: TextField) =>
  (draft: Draft, value: string): undefined => {
    // All fields of this kind hold a text or null.
    (draft as Record<TextField, string | null>)[field] = value;
  };

const flag =
  (field: 'debug' | 'verbose' | 'quiet' | 'insecure' | 'useSystemCas') =>
  (draft: Draft): undefined => {
    draft[field] = true;
  };

export const ctrlOptions: readonly CtrlOption[] = [
  {
    short: '-A',
    argument: 'ADDRESS',
    missing: 'address',
    says: 'Connect from this local address.',
    apply: text('bindAddress'),
  },
  {
    long: '--cafile',
    argument: 'FILE',
    missing: 'file',
    completes: 'file',
    says: 'Trust the CA in this file; switches TLS on.',
    apply: text('cafile'),
  },
  {
    long: '--capath',
    argument: 'DIR',
    missing: 'directory',
    completes: 'folder',
    says: 'Trust the CAs in this folder; switches TLS on.',
    apply: text('capath'),
  },
  {
    long: '--cert',
    argument: 'FILE',
    missing: 'file',
    completes: 'file',
    says: 'Certificate of this client; needs --key.',
    apply: text('cert'),
  },
  { long: '--ciphers', argument: 'LIST', missing: 'ciphers', says: 'Ciphers of TLS 1.2.', apply: text('ciphers') },
  { short: '-d', long: '--debug', says: 'Show every packet on standard error.', apply: flag('debug') },
  {
    short: '-f',
    argument: 'FILE',
    missing: 'data file',
    completes: 'file',
    says: 'Work on this file of the dynamic security plugin, without a broker: setClientPassword.',
    apply: text('dataFile'),
  },
  { long: '--help', says: 'Show this text.', apply: () => 'help' },
  {
    short: '-h',
    long: '--host',
    argument: 'HOST',
    missing: 'host',
    says: 'The broker; localhost unless given.',
    apply: text('host'),
  },
  {
    long: '--insecure',
    says: 'Check neither the name nor the CA of the broker: whoever stands between can read and change everything.',
    apply: flag('insecure'),
  },
  {
    short: '-i',
    long: '--id',
    argument: 'ID',
    missing: 'id',
    says: 'Client id; the broker makes one unless given.',
    apply: text('clientId'),
  },
  {
    long: '--key',
    argument: 'FILE',
    missing: 'file',
    completes: 'file',
    says: 'Private key of --cert.',
    apply: text('key'),
  },
  {
    long: '--keyform',
    argument: 'FORM',
    missing: 'keyform',
    completes: ['pem'],
    says: 'Form of --key: pem. Keys inside an OpenSSL engine cannot be used.',
    apply: text('keyForm'),
  },
  {
    short: '-L',
    long: '--url',
    argument: 'URL',
    missing: 'URL',
    says: 'mqtt(s)://[user[:password]@]host[:port]/topic; a "/" is needed, the topic counts for nothing.',
    apply: (draft, value) => parseUrl(draft, value),
  },
  {
    short: '-o',
    argument: 'FILE',
    missing: 'options file',
    completes: 'file',
    says: 'Read options from here instead of ~/.config/mosquitto_ctrl, one a line.',
    apply: text('optionsFile'),
  },
  {
    short: '-p',
    long: '--port',
    argument: 'PORT',
    missing: 'port',
    says: '1883 unless given, 8883 with --cafile, --capath or --psk. 8883 switches TLS on.',
    apply: takePort,
  },
  {
    short: '-P',
    long: '--pw',
    argument: 'PASSWORD',
    missing: 'password',
    says: 'Other users of the machine can see it; with -u alone it is asked for.',
    apply: text('password'),
  },
  {
    long: '--proxy',
    argument: 'URL',
    missing: 'proxy url',
    says: 'socks5h://[user[:password]@]host[:port]',
    apply: (draft, value) => parseProxy(draft, value),
  },
  {
    long: '--psk',
    argument: 'HEX',
    missing: 'key',
    says: 'Pre-shared key; switches TLS on, needs --psk-identity.',
    apply: text('psk'),
  },
  {
    long: '--psk-identity',
    argument: 'NAME',
    missing: 'identity',
    says: 'Whose key --psk is.',
    apply: text('pskIdentity'),
  },
  {
    short: '-q',
    long: '--qos',
    argument: 'QOS',
    missing: 'QoS',
    completes: ['0', '1', '2'],
    says: '1 unless given.',
    apply: takeQos,
  },
  { long: '--quiet', says: 'No warnings and no errors at run time.', apply: flag('quiet') },
  {
    long: '--tls-alpn',
    argument: 'NAME',
    missing: 'protocol',
    says: 'Protocol to ask for in TLS.',
    apply: text('alpn'),
  },
  {
    long: '--tls-engine',
    argument: 'ID',
    missing: 'engine_id',
    says: 'Refused: OpenSSL engines are not supported.',
    apply: text('engine'),
  },
  {
    long: '--tls-engine-kpass-sha1',
    argument: 'SHA1',
    missing: 'kpass sha1',
    says: 'Refused: belongs to --tls-engine.',
    apply: text('enginePassword'),
  },
  {
    long: '--tls-use-os-certs',
    says: 'Trust the CAs of the operating system; switches TLS on.',
    apply: flag('useSystemCas'),
  },
  {
    long: '--tls-version',
    argument: 'VERSION',
    missing: 'version',
    completes: ['tlsv1.2', 'tlsv1.3'],
    says: 'The least version of TLS: tlsv1.2 or tlsv1.3.',
    apply: text('tlsVersion'),
  },
  {
    short: '-u',
    long: '--username',
    argument: 'NAME',
    missing: 'username',
    says: 'User name.',
    apply: text('username'),
  },
  {
    long: '--unix',
    argument: 'PATH',
    missing: 'socket path',
    completes: 'file',
    says: 'Connect through this Unix socket.',
    apply: text('unixSocket'),
  },
  {
    short: '-V',
    long: '--protocol-version',
    argument: 'VERSION',
    missing: 'version',
    completes: ['mqttv5', 'mqttv311', 'mqttv31'],
    says: 'mqttv5 (the default), mqttv311 or mqttv31; or 5, 311, 31.',
    apply: takeVersion,
  },
  { short: '-v', long: '--verbose', says: 'Show request and reply as JSON on standard error.', apply: flag('verbose') },
  { long: '--version', says: 'Show this text.', apply: () => 'help' },
];

export type Parsed =
  { kind: 'run'; draft: Draft; words: readonly string[] } | { kind: 'help' } | { kind: 'error'; lines: string[] };

/** `fileLines` gives the lines of the options file that a draft names, or of the default one. */
export function parseCtrlArguments(args: readonly string[], fileLines: (named: string | null) => string[]): Parsed {
  const first = takeWords(newDraft(), args);
  if (first.kind !== 'run') return first;
  const draft = newDraft();
  for (const line of fileLines(first.draft.optionsFile)) {
    const taken = takeWords(
      draft,
      line
        .split(' ')
        .filter(word => word !== '')
        .slice(0, 2),
    );
    if (taken.kind !== 'run') return taken;
  }
  return takeWords(draft, args);
}

/** Options up to the first word that is none. */
function takeWords(draft: Draft, args: readonly string[]): Parsed {
  for (let at = 0; at < args.length; at++) {
    const word = args[at] as string;
    if (!word.startsWith('-')) return { kind: 'run', draft, words: args.slice(at) };
    const option = ctrlOptions.find(row => row.short === word || row.long === word);
    if (option === undefined) return unknownOption(word);
    const value = option.argument === undefined ? '' : args[++at];
    if (value === undefined) {
      const name = word === '-V' ? '--protocol-version' : (option.short ?? option.long);
      return { kind: 'error', lines: [`Error: ${name} argument given but no ${option.missing} specified.`] };
    }
    const problem = option.apply(draft, value);
    if (problem === 'help') return { kind: 'help' };
    if (problem !== undefined) return { kind: 'error', lines: [problem] };
  }
  return { kind: 'run', draft, words: [] };
}

function unknownOption(word: string): Parsed {
  const meant = nearestName(word, ctrlOptions.flatMap(row => [row.short ?? '', row.long ?? '']).filter(Boolean));
  const hint = meant === null ? [] : [`  Did you mean '${meant}'?`];
  return { kind: 'error', lines: [`Error: Unknown option '${word}'.`, ...hint] };
}

function takePort(draft: Draft, value: string): string | undefined {
  const port = /^\d{1,9}$/.test(value) ? Number(value) : -1;
  if (port < 0 || port > 65_535) return `Error: Invalid port given: ${value}`;
  draft.port = port;
  return undefined;
}

function takeQos(draft: Draft, value: string): string | undefined {
  if (value !== '0' && value !== '1' && value !== '2') return `Error: Invalid QoS given: ${value}`;
  draft.qos = Number(value) as Qos;
  return undefined;
}

const versions: Record<string, Draft['version']> = { mqttv31: 3, '31': 3, mqttv311: 4, '311': 4, mqttv5: 5, '5': 5 };

function takeVersion(draft: Draft, value: string): string | undefined {
  const version = versions[value];
  if (version === undefined) return 'Error: Invalid protocol version argument given.';
  draft.version = version;
  return undefined;
}
