/** Chapter: open ports, who may speak on them and in what form. */
import type { Argument } from './argument.ts';
import { innerListenerOption, listenerOption, specialOption, type OptionRow } from './row.ts';
import { bool, choice, emptyValue, integer, readInteger, text, type ValueType } from './types.ts';
import { ConfError, refuse } from '../error.ts';
import { realpathSync } from 'node:fs';
import type { MqttVersion } from '../settings.ts';

interface Endpoint {
  port: number;
  /** Host for a port, path for port 0. */
  address: string | null;
}

const endpoint: ValueType<Endpoint> = {
  argument: 'port [address] | 0 path',
  good: ['8883', '8883 127.0.0.1', '0 /tmp/zancudo-example.sock', '8883 # TLS'],
  bad: [
    { text: '', error: "Error: Empty 'listener port' value in configuration." },
    { text: 'mqtt', error: "Error: 'listener port' value not a number." },
    { text: '70000', error: "Error: Invalid 'port' value (70000)." },
    { text: '0', error: 'Error: A listener with port 0 must provide a Unix socket path.' },
  ],
  read(argument) {
    const port = readInteger(argument, 'listener port');
    if (port < 0 || port > 65_535) refuse(`Error: Invalid 'port' value (${port}).`, 'Write a port from 1 to 65535.');
    const address = addressWord(argument);
    if (port === 0 && address === null) {
      refuse(
        'Error: A listener with port 0 must provide a Unix socket path.',
        "For example 'listener 0 /run/mqtt.sock'.",
      );
    }
    return { port, address };
  },
};

/** A word that begins with # begins a comment here. */
function addressWord(argument: Argument): string | null {
  const word = argument.word();
  if (word?.startsWith('#') !== true) return word;
  argument.rest();
  return null;
}

const port = integer({ argument: '1-65535', min: 1, max: 65_535, outside: '0' });

const versions: ValueType<MqttVersion[]> = {
  argument: 'list of 3 4 5',
  good: ['3', '3,4,5', '4 5', '4,\t5'],
  bad: [{ text: '', error: "Error: Empty 'accept_protocol_versions' value in configuration." }],
  read(argument, name) {
    const words = argument.rest().split(/[, \t]+/).filter(word => word !== ''); // prettier-ignore
    if (words.length === 0) emptyValue(name);
    return ([3, 4, 5] as const).filter(version => words.includes(String(version)));
  },
};

const prefix: ValueType<string> = {
  ...text('text of at most 50 bytes'),
  bad: [{ text: 'x'.repeat(51), error: "Error: 'listener_auto_id_prefix' length must be <= 50." }],
  read(argument, name) {
    const value = text('').read(argument, name);
    if (Buffer.byteLength(value) <= 50) return value;
    refuse("Error: 'listener_auto_id_prefix' length must be <= 50.", `It has ${Buffer.byteLength(value)} bytes.`);
  },
};

const mountPoint: ValueType<string> = {
  ...text('topic prefix', 'house/'),
  bad: [
    { text: 'a/#', error: "Error: Invalid 'mount_point' value (a/#). Does it contain a wildcard character?" },
    { text: '', error: "Error: Empty 'mount_point' value in configuration." },
  ],
  read(argument, name) {
    const value = text('').read(argument, name);
    if (!/[+#]/.test(value)) return value;
    refuse(
      `Error: Invalid 'mount_point' value (${value}). Does it contain a wildcard character?`,
      'A mount point is the beginning of a topic name, so it has no + and no #.',
    );
  },
};

const existingDirectory: ValueType<string> = {
  ...text('directory', '/'),
  bad: [{ text: '', error: "Error: Empty 'http_dir' value in configuration." }],
  read(argument, name) {
    const value = text('').read(argument, name);
    try {
      return `${realpathSync(value)}/`;
    } catch {
      // Mosquitto prints nothing but the place.
      throw new ConfError([], [`The directory '${value}' of '${name}' is not there or cannot be read.`]);
    }
  },
};

const aliases = (name: string) =>
  integer({
    argument: '0-65535',
    max: 65_535,
    min: 0,
    outside: '65536',
    error: `Error: Invalid '${name}' value in configuration.`,
  });

export const listeners: readonly OptionRow[] = [
  specialOption<Endpoint, 'global'>({
    name: 'listener',
    type: endpoint,
    calls: 'listener port',
    says: 'Opens a port and makes it current: listener options below belong to it. Without an address it binds every IPv4 and IPv6 address; an IPv6 address is written without brackets. Port 0 opens a Unix socket at the path.',
    standard: 'none: local-only mode',
    since: '<=1.4',
    reload: 'identity',
    scope: 'global',
    needs: 'nothing',
    fields: [],
    put(_settings, { port, address }, reading) {
      const listener = reading.addListener(port);
      if (port === 0) listener.unixPath = address;
      else listener.host = address;
    },
  }),
  specialOption<number, 'global'>({
    name: 'port',
    type: port,
    says: 'Port of the default listener, on all addresses. Ends local-only mode, so allow_anonymous becomes false.',
    standard: '1883',
    since: '<=1.4',
    deprecated: "Please use 'listener' instead.",
    differs: 'Mosquitto 2.1 warns of a port specified multiple times at the first line already; we warn at the second.',
    reload: 'identity',
    scope: 'global',
    needs: 'nothing',
    fields: [],
    put(settings, value, reading) {
      if (settings.places.port !== undefined) {
        reading.say(
          'warning',
          'Warning: Default listener port specified multiple times. Only the latest will be used.',
        );
      }
      reading.defaultListener('port').port = value;
    },
  }),
  specialOption<string, 'global'>({
    name: 'bind_address',
    type: text('address', '127.0.0.1', 'localhost'),
    calls: 'default listener bind_address',
    repeat: 'error',
    says: 'Address of the default listener. Ends local-only mode.',
    standard: 'every address',
    since: '<=1.4',
    deprecated: '',
    differs: 'A name is looked up after the whole file was read.',
    reload: 'identity',
    scope: 'global',
    needs: 'nothing',
    fields: [],
    put(_settings, value, reading) {
      reading.defaultListener('bind_address').host = value;
    },
  }),
  listenerOption({
    name: 'bind_interface',
    type: text('interface name', 'lo'),
    field: 'bindInterface',
    repeat: 'error',
    says: 'Binds to the addresses of this network interface only.',
    since: '1.6',
    reload: 'restart',
  }),
  listenerOption({
    name: 'socket_domain',
    type: choice(['ipv4', 'ipv6'], "Error: Invalid 'socket_domain' value '<word>' in configuration."),
    field: 'socketDomain',
    says: 'Opens the listener for one address family only.',
    standard: 'both',
    since: '1.5.5',
    reload: 'restart',
  }),
  listenerOption({
    name: 'protocol',
    type: choice(['mqtt', 'websockets', 'http_api']),
    field: 'protocol',
    says: 'What the listener speaks: MQTT on its own, MQTT within WebSockets, or HTTP: version, listeners and $SYS below /api/v1/, /metrics for Prometheus, /healthz, /readyz, and the files of http_dir.',
    since: '<=1.4 (http_api 2.1)',
    reload: 'restart',
    differs: 'Local-only mode opens no http_api listener on port 9883.',
  }),
  innerListenerOption({
    name: 'http_dir',
    type: existingDirectory,
    field: 'httpDir',
    repeat: 'error',
    says: 'Directory of the files that an http_api listener serves. Other listeners serve none.',
    since: '<=1.4',
    reload: 'restart',
  }),
  specialOption<MqttVersion[], 'listener'>({
    name: 'accept_protocol_versions',
    type: versions,
    says: 'Versions of MQTT this listener accepts: 3 is 3.1, 4 is 3.1.1, 5 is 5.0. Other words are passed over.',
    standard: '3, 4, 5',
    since: '2.1',
    reload: 'live',
    scope: 'listener',
    needs: 'explicit listener',
    fields: ['acceptProtocolVersions'],
    put(listener, value, reading) {
      listener.acceptProtocolVersions = value;
      if (value.length > 0) return;
      const { file, line } = reading.place;
      reading.say(
        'warning',
        `${file}:${line}: 'accept_protocol_versions' names none of 3, 4, 5: nobody can connect to this listener.`,
      );
    },
  }),
  listenerOption({
    name: 'max_connections',
    type: integer({ argument: 'number', as: n => (n <= 0 ? -1 : n) }),
    field: 'maxConnections',
    says: 'Open sockets this listener allows; one more is closed as it arrives. 0 or less is no limit.',
    since: '<=1.4',
    reload: 'live',
  }),
  listenerOption({
    name: 'max_qos',
    aliases: ['maximum_qos'],
    type: integer<0 | 1 | 2>({
      argument: '0 | 1 | 2',
      good: ['0', '1', '2'],
      min: 0,
      max: 2,
      outside: '3',
      error: "Error: 'max_qos' must be between 0 and 2 inclusive.",
      as: n => (n === 0 ? 0 : n === 1 ? 1 : 2),
    }),
    field: 'maxQos',
    says: 'Highest QoS for clients of this listener: a publish above it ends the connection, a subscription is granted at most this.',
    since: '2.0',
    reload: 'live',
  }),
  innerListenerOption({
    name: 'max_topic_alias',
    type: aliases('max_topic_alias'),
    field: 'maxTopicAlias',
    says: 'Topic aliases an MQTT 5 client may use towards the broker. 0 forbids them.',
    since: '1.6',
    reload: 'live',
  }),
  innerListenerOption({
    name: 'max_topic_alias_broker',
    type: aliases('max_topic_alias_broker'),
    field: 'maxTopicAliasBroker',
    says: 'Topic aliases the broker may use towards an MQTT 5 client, if the client allows as many.',
    since: '2.1',
    reload: 'live',
  }),
  innerListenerOption({
    name: 'mount_point',
    type: mountPoint,
    field: 'mountPoint',
    repeat: 'last',
    says: 'Put in front of every topic of the clients of this listener, and taken off again on the way to them. Used as it is: write the final / yourself. Access rules see the topic with it.',
    standard: 'none',
    since: '<=1.4',
    reload: 'live',
  }),
  innerListenerOption({
    name: 'listener_allow_anonymous',
    type: bool,
    field: 'listenerAllowAnonymous',
    says: 'allow_anonymous for this listener alone; counts before the global one in both directions.',
    standard: 'what allow_anonymous says',
    since: '2.1',
    reload: 'live',
  }),
  innerListenerOption({
    name: 'listener_auto_id_prefix',
    type: prefix,
    field: 'listenerAutoIdPrefix',
    repeat: 'error',
    says: 'Beginning of the client ids that the broker makes for clients of this listener.',
    standard: 'what auto_id_prefix says',
    since: '2.1',
    reload: 'live',
  }),
  innerListenerOption({
    name: 'enable_proxy_protocol',
    type: integer<1 | 2>({
      argument: '1 | 2',
      good: ['1', '2'],
      min: 1,
      max: 2,
      outside: '3',
      error: 'Error: enable_proxy_protocol must be 1 or 2.',
      as: n => (n === 1 ? 1 : 2),
    }),
    field: 'enableProxyProtocol',
    says: 'Every connection must begin with a PROXY header of this version; the address in it is the client\u2019s.',
    standard: 'off',
    since: '2.1',
    reload: 'live',
  }),
  innerListenerOption({
    name: 'proxy_protocol_v2_require_tls',
    type: bool,
    field: 'proxyProtocolV2RequireTls',
    says: 'Refuses PROXY version 2 connections whose header does not say that the client used TLS.',
    since: '2.1',
    reload: 'live',
  }),
  specialOption<string, 'listener'>({
    name: 'websockets_origin',
    type: text('origin', 'https://example.org'),
    repeat: 'add',
    says: 'Lets browsers in whose page is of this origin; repeat it for more. Compared only when the client sends an Origin header.',
    standard: 'any',
    since: '2.1',
    differs: 'The whole origin must be equal; Mosquitto 2.1.2 also takes the beginning of a configured one.',
    reload: 'live',
    scope: 'listener',
    needs: 'listener',
    fields: ['websocketsOrigins'],
    put(listener, value) {
      listener.websocketsOrigins.push(value);
    },
  }),
];
