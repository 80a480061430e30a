/**
 * The options of `ctrl`, in front of the module's name: those of the clients that say where and how to connect, and a
 * few of its own.
 *
 *   options file (lines `-h host`) ──┐
 *   command line up to the module ───┴─> CtrlDraft      the command line has the last word
 */
import { contradiction } from '../client/contradictions.ts';
import { invalid, newDraft, type Draft, type UsageError } from '../client/draft.ts';
import { clientOptions, missingArgument, type ClientOption } from '../client/options.ts';
import { readUrl } from '../client/url-arguments.ts';
import { nearestName } from '../nearest-name.ts';

export interface CtrlDraft extends Draft {
  /** -f */
  dataFile?: string;
  /** -o */
  optionsFile?: string;
}

interface CtrlOption extends Omit<ClientOption, 'tools' | 'apply'> {
  apply(draft: CtrlDraft, value: string, values: { next(): string | null }): UsageError | void;
}

/** MQTT 5 and QoS 1 unless said otherwise. */
export function newCtrlDraft(): CtrlDraft {
  return { ...newDraft('rr'), version: 5, qos: 1 };
}

const shared = [
  ...['-A', '--cafile', '--capath', '--cert', '--ciphers', '-d', '-h', '--insecure', '-i', '--key', '--keyform'],
  ...['-o', '-p', '--profile', '-P', '--proxy', '--psk', '--psk-identity', '-q', '--quiet', '--tls-alpn'],
  ...['--tls-engine', '--tls-engine-kpass-sha1', '--tls-use-os-certs', '--tls-version', '-u', '--unix', '-V'],
];

/** Where the clients' row does not fit. */
const own: Record<string, Partial<CtrlOption>> = {
  '-d': { says: 'Show every packet as a line on standard error.' },
  '-o': { apply: (draft, value) => void (draft.optionsFile = value) },
  '-q': { says: 'Quality of service: 1 unless given.' },
  '-u': { says: 'User name; without -P the password is asked for.' },
  '-V': { says: 'Version of MQTT: 5 unless given, 311 or 31.' },
};

const showHelp = (): UsageError => ({ kind: 'help' });

export const ctrlOptions: readonly CtrlOption[] = [
  ...clientOptions
    .filter(row => shared.includes(row.short ?? row.long ?? ''))
    .map((row): CtrlOption => ({ ...row, ...own[row.short ?? ''] })),
  {
    short: '-f',
    argument: 'FILE',
    completes: 'file',
    missing: '-f argument given but no data file specified.',
    says: 'Work on this file of the dynamic security plugin, without a broker: setClientPassword.',
    apply: (draft, value) => void (draft.dataFile = value),
  },
  {
    short: '-L',
    long: '--url',
    argument: 'URL',
    missing: '-L argument given but no URL specified.',
    says: 'All in one: mqtt(s)://[user[:password]@]host[:port]/ and a topic, which counts for nothing.',
    apply: takeUrl,
  },
  { short: '-v', long: '--verbose', says: 'Show request and reply as JSON on standard error.', apply: takeVerbose },
  { long: '--help', says: 'Show this text.', apply: showHelp },
  { long: '--version', says: 'Show this text.', apply: showHelp },
];

export type Parsed = { kind: 'run'; draft: CtrlDraft; words: readonly string[] } | UsageError;

/** `fileLines` gives the lines of the options file that a draft names, or of the default one. */
export function parseCtrlArguments(
  args: readonly string[],
  fileLines: (named: string | undefined) => readonly string[],
): Parsed {
  const first = takeWords(newCtrlDraft(), args);
  if (first.kind !== 'run') return first;
  const draft = newCtrlDraft();
  for (const line of fileLines(first.draft.optionsFile)) {
    // Two words of a line count, as for mosquitto_ctrl.
    const taken = takeWords(draft, line.split(' ').filter(Boolean).slice(0, 2));
    if (taken.kind !== 'run') return taken;
  }
  const parsed = takeWords(draft, args);
  return parsed.kind === 'run' ? (contradiction(draft) ?? idleTlsOption(draft) ?? parsed) : parsed;
}

/** Options up to the first word that is none. */
function takeWords(draft: CtrlDraft, args: readonly string[]): Parsed {
  let at = 0;
  const next = (): string | null => args[at++] ?? null;
  for (let word = next(); word !== null; word = next()) {
    if (!word.startsWith('-')) return { kind: 'run', draft, words: args.slice(at - 1) };
    const option = ctrlOptions.find(row => row.short === word || row.long === word);
    if (option === undefined) return unknownOption(word);
    const value = option.argument === undefined ? '' : next();
    if (value === null) return missingArgument({ missing: '', ...option, tools: [], apply: showHelp });
    const outcome = option.apply(draft, value, { next });
    if (outcome) return outcome;
  }
  return { kind: 'run', draft, words: [] };
}

function unknownOption(word: string): UsageError {
  const names = ctrlOptions.flatMap(row => [row.short, row.long].filter(name => name !== undefined));
  const meant = nearestName(word, names);
  return invalid(`Unknown option '${word}'.`, false, meant === null ? null : `Did you mean '${meant}'?`);
}

/** The clients' rules, but for WebSocket; any topic is as good as another. */
export function takeUrl(draft: CtrlDraft, url: string): UsageError | undefined {
  const scheme = /^mqtts?:\/\//i.exec(url)?.[0];
  if (scheme === undefined) return invalid('Unsupported URL scheme.', true, 'There are mqtt and mqtts.');
  const slash = url.indexOf('/', scheme.length);
  if (slash === -1) return invalid('Invalid URL for -L argument specified - topic missing.', false, 'Add a "/".');
  const place = url.slice(scheme.length, slash);
  if (/^:?[^@]*@/.test(place) && /^[:@]/.test(place)) return invalid('Empty username in URL.');
  if (place.endsWith(':')) return invalid('Empty port in URL.');
  const outcome = readUrl(draft, `${scheme}${place}/-`);
  delete draft.topic;
  return outcome;
}

function takeVerbose(draft: CtrlDraft): void {
  draft.verbose = true;
}

/** An option that asks for protection and gives none must not pass in silence. */
function idleTlsOption(draft: CtrlDraft): UsageError | null {
  const { cafile, capath, psk, osCertificates, port, profile } = draft;
  if ((cafile ?? capath ?? psk ?? profile) !== undefined || osCertificates || port === 8883) return null;
  const wishes = { '--cert': draft.certfile, '--ciphers': draft.ciphers, '--tls-alpn': draft.alpn };
  const idle = Object.entries(wishes).find(([, value]) => value !== undefined)?.[0];
  const hint = '--cafile, --capath, --tls-use-os-certs, --psk or port 8883 switch it on.';
  return idle === undefined ? null : invalid(`${idle} without TLS.`, false, hint);
}
