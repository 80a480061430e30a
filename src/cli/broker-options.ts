/**
 * The command line of the broker: the table of its options, and the way from arguments to a BrokerCommand.
 *
 * Mosquitto's options keep their names, their order of evaluation and their error lines; the rows marked `ours` are
 * Zancudo's own. Arguments are read from left to right and the first one that ends the matter does: help, version, an
 * error.
 */
import { nearestName } from './nearest-name.ts';
import type { BrokerCommand } from '../server/process/mod.ts';

export interface BrokerOption {
  short?: string;
  long: string;
  /** Name of its argument in the usage text. */
  argument?: string;
  /** What Mosquitto calls the argument when it is missing. */
  missing?: string;
  ours?: true;
  says: string;
  /** Undefined: go on with the next argument. */
  apply: (draft: Draft, value: string) => ParseOutcome | undefined;
}

export type ParseOutcome =
  | { kind: 'run'; command: BrokerCommand }
  | { kind: 'help' }
  | { kind: 'version' }
  | { kind: 'error'; error: CommandLineError };

export interface CommandLineError {
  /** Mosquitto's line. */
  line: string;
  /** Ours. */
  hint: string | null;
  /** Mosquitto prints this one without a timestamp, and the usage text after it. */
  withUsage: boolean;
}

/** What the arguments read so far have said. */
interface Draft {
  configurationFile: string | null;
  home: string | null;
  ports: number[];
  verbose: boolean;
  quiet: boolean;
  daemon: boolean;
  testConfiguration: boolean;
  tlsKeylogFile: string | null;
}

const portsMax = 10;

export const brokerOptions: readonly BrokerOption[] = [
  {
    short: '-c',
    long: '--config-file',
    argument: 'FILE',
    missing: 'config file',
    says: 'Run with this mosquitto.conf.',
    apply: takeConfigurationFile,
  },
  {
    short: '-d',
    long: '--daemon',
    says: 'Go to the background once the broker is ready.',
    apply: draft => {
      draft.daemon = true;
    },
  },
  { short: '-h', long: '--help', says: 'Show this text.', apply: () => ({ kind: 'help' }) },
  {
    short: '-p',
    long: '--port',
    argument: 'PORT',
    missing: 'port',
    says: 'Listen on this port for clients of this machine only. Up to 10 times; without effect where -c opens listeners.',
    apply: takePort,
  },
  {
    short: '-q',
    long: '--quiet',
    says: 'Log nothing, whatever the configuration and -v say.',
    apply: draft => {
      draft.quiet = true;
    },
  },
  {
    short: '-v',
    long: '--verbose',
    says: 'Log everything, whatever the configuration says.',
    apply: draft => {
      draft.verbose = true;
    },
  },
  {
    long: '--home',
    argument: 'DIR',
    missing: 'folder',
    ours: true,
    says: 'Where the secure home is or shall be made: ~/.zancudo unless ZANCUDO_HOME says otherwise.',
    apply: (draft, value) => {
      draft.home = value;
    },
  },
  {
    long: '--test-config',
    says: 'Check the configuration file given by -c, and end.',
    apply: draft => {
      draft.testConfiguration = true;
    },
  },
  {
    long: '--tls-keylog',
    argument: 'FILE',
    missing: 'file',
    says: 'Append TLS secrets to this file, for debugging with Wireshark.',
    apply: (draft, value) => {
      draft.tlsKeylogFile = value;
    },
  },
  { long: '--version', says: 'Show the version.', apply: () => ({ kind: 'version' }) },
];

export interface Surroundings {
  /** Called `mosquitto`: without a configuration the broker is Mosquitto's local-only one. */
  asMosquitto: boolean;
  /** ZANCUDO_HOME. */
  home: string | null;
}

export function parseBrokerArguments(args: readonly string[], surroundings: Surroundings): ParseOutcome {
  const draft = newDraft();
  for (let at = 0; at < args.length; at++) {
    const word = args[at] as string;
    const option = brokerOptions.find(row => row.short === word || row.long === word);
    if (option === undefined) return unknownOption(word);
    const value = option.argument === undefined ? '' : args[++at];
    if (value === undefined) return failed(`Error: ${word} argument given, but no ${option.missing} specified.`);
    const outcome = option.apply(draft, value);
    if (outcome !== undefined) return outcome;
  }
  return conflict(draft, surroundings) ?? { kind: 'run', command: finish(draft, surroundings) };
}

function newDraft(): Draft {
  return {
    configurationFile: null,
    home: null,
    ports: [],
    verbose: false,
    quiet: false,
    daemon: false,
    testConfiguration: false,
    tlsKeylogFile: null,
  };
}

function takeConfigurationFile(draft: Draft, value: string): ParseOutcome | undefined {
  if (draft.configurationFile !== null) {
    return failed('Error: Only one config file can be specified on the command line.', `Join them with 'include_dir'.`);
  }
  draft.configurationFile = value;
  return undefined;
}

function takePort(draft: Draft, value: string): ParseOutcome | undefined {
  if (draft.ports.length === portsMax) {
    return failed(`Error: Only ${portsMax} ports can be specified on the command line.`);
  }
  const port = Number(value);
  if (!/^\d+$/.test(value) || port < 1 || port > 65_535) {
    const shown = Number.parseInt(value, 10) || 0;
    return failed(`Error: Invalid port specified (${shown}).`, `'${value}' is not a number from 1 to 65535.`);
  }
  draft.ports.push(port);
  return undefined;
}

function conflict(draft: Draft, surroundings: Surroundings): ParseOutcome | null {
  if (draft.testConfiguration && draft.configurationFile === null) {
    return failed('Please provide a configuration file to test.', `Name it with '-c FILE'.`);
  }
  const homeless = draft.configurationFile !== null || draft.ports.length > 0 || surroundings.asMosquitto;
  if (draft.home !== null && homeless) {
    return failed('Error: --home cannot be combined with -c or -p.', 'A home brings its own configuration file.');
  }
  return null;
}

function finish(draft: Draft, surroundings: Surroundings): BrokerCommand {
  const { configurationFile, ports, daemon, testConfiguration, tlsKeylogFile } = draft;
  const mode = modeOf(draft, surroundings);
  return {
    mode,
    configurationFile,
    home: mode === 'home' ? (draft.home ?? surroundings.home) : null,
    ports,
    verbosity: draft.quiet ? 'quiet' : draft.verbose ? 'verbose' : 'configured',
    daemon,
    testConfiguration,
    tlsKeylogFile,
  };
}

function modeOf(draft: Draft, surroundings: Surroundings): BrokerCommand['mode'] {
  if (draft.configurationFile !== null) return 'configuration-file';
  return draft.ports.length > 0 || surroundings.asMosquitto ? 'local-only' : 'home';
}

function unknownOption(word: string): ParseOutcome {
  const names = brokerOptions.flatMap(row => [row.long, ...(row.short === undefined ? [] : [row.short])]);
  const meant = nearestName(word, names);
  const hint = meant === null ? null : `Did you mean '${meant}'?`;
  return { kind: 'error', error: { line: `Error: Unknown option '${word}'.`, hint, withUsage: true } };
}

function failed(line: string, hint: string | null = null): ParseOutcome {
  return { kind: 'error', error: { line, hint, withUsage: false } };
}
