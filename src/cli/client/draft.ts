/** What the arguments of `pub`, `sub` and `rr` have said so far, and how a mistake among them is told. */
import type { Properties, ProtocolVersion, ProxyOptions, Qos, ScramMethod } from '../../client/mod.ts';

export type Tool = 'pub' | 'sub' | 'rr';

/** Where the payload comes from. */
export type MessageSource =
  | { kind: 'text'; text: string }
  | { kind: 'null' }
  | { kind: 'file'; path: string }
  | { kind: 'stdin' }
  | { kind: 'lines' };

export type PropertyCommand = 'connect' | 'publish' | 'subscribe' | 'unsubscribe' | 'disconnect' | 'will';

export interface Draft {
  tool: Tool;
  profile?: string;
  host?: string;
  port?: number;
  unixSocket?: string;
  bindAddress?: string;
  proxy?: ProxyOptions;
  srv: boolean;
  websocket: boolean;
  noDelay: boolean;

  cafile?: string;
  capath?: string;
  certfile?: string;
  keyfile?: string;
  keyform?: string;
  ciphers?: string;
  alpn?: string;
  tlsVersion?: string;
  tlsEngine?: string;
  tlsEngineKpassSha1?: string;
  tlsKeylog?: string;
  osCertificates: boolean;
  insecure: boolean;
  noTls: boolean;
  psk?: string;
  pskIdentity?: string;

  version: ProtocolVersion;
  clientId?: string;
  clientIdPrefix?: string;
  username?: string;
  password?: string;
  authMethod?: ScramMethod;
  cleanStart: boolean;
  keepAlive: number;
  /** Seconds; 4294967295 is for ever. */
  sessionExpiry?: number;
  inflightMax: number;
  willTopic?: string;
  willPayload?: string;
  willQos: Qos;
  willRetain: boolean;
  properties: Record<PropertyCommand, Properties>;

  /** Of pub and rr. */
  topic?: string;
  responseTopic?: string;
  message?: MessageSource;
  retain: boolean;
  repeat: number;
  repeatDelayMs: number;

  /** Of sub. */
  filters: string[];
  unsubscribe: string[];
  filtersOut: string[];
  qos: Qos;
  retainAsPublished: boolean;
  retainHandling: 0 | 1 | 2;
  noRetained: boolean;
  retainedOnly: boolean;
  removeRetained: boolean;
  exitAfterSubscribe: boolean;
  /** 0: no end. */
  messageCount: number;
  timeoutSeconds: number;
  randomPercent: number;

  format?: string;
  newline: boolean;
  verbose: boolean;
  pretty: boolean;
  watch: boolean;
  tree: boolean;
  messageRate: boolean;
  latency: boolean;
  debug: boolean;
  quiet: boolean;
}

export function newDraft(tool: Tool): Draft {
  return {
    tool,
    srv: false,
    websocket: false,
    noDelay: false,
    osCertificates: false,
    insecure: false,
    noTls: false,
    version: tool === 'rr' ? 5 : 4,
    cleanStart: true,
    keepAlive: 60,
    inflightMax: 20,
    willQos: 0,
    willRetain: false,
    properties: { connect: {}, publish: {}, subscribe: {}, unsubscribe: {}, disconnect: {}, will: {} },
    retain: false,
    repeat: 1,
    repeatDelayMs: 0,
    filters: [],
    unsubscribe: [],
    filtersOut: [],
    qos: 0,
    retainAsPublished: false,
    retainHandling: 0,
    noRetained: false,
    retainedOnly: false,
    removeRetained: false,
    exitAfterSubscribe: false,
    messageCount: 0,
    timeoutSeconds: 0,
    randomPercent: 100,
    newline: true,
    verbose: false,
    pretty: false,
    watch: false,
    tree: false,
    messageRate: false,
    latency: false,
    debug: false,
    quiet: false,
  };
}

/** What ends the reading of arguments. */
export type UsageError =
  | { kind: 'help' }
  | { kind: 'version' }
  | {
      kind: 'error';
      /** Mosquitto's line. */
      line: string;
      hint: string | null;
      /** Mosquitto leaves one line free behind some of its lines, and two behind others. */
      blankLine: boolean;
    };

export function invalid(text: string, blankLine = false, hint: string | null = null): UsageError {
  return { kind: 'error', line: `Error: ${text}`, hint, blankLine };
}
