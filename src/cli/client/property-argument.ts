/** `-D command property value`: a property of MQTT 5 for one kind of packet. */
import type { Properties } from '../../client/mod.ts';
import { nearestName } from '../nearest-name.ts';
import { invalid, type Draft, type PropertyCommand, type UsageError } from './draft.ts';
import type { Values } from './options.ts';

type PropertyType = 'byte' | 'uint16' | 'uint32' | 'varint' | 'string' | 'binary' | 'pair';

interface PropertyArgument {
  name: string;
  property: keyof Properties;
  type: PropertyType;
  /** Commands that may carry it; the first letters of c p s u d w. */
  commands: string;
  /** Where MQTT has narrower bounds than the type. */
  least?: number;
  most?: number;
}

const rows: readonly PropertyArgument[] = [
  { name: 'payload-format-indicator', property: 'payloadFormatIndicator', type: 'byte', commands: 'pw' },
  { name: 'message-expiry-interval', property: 'messageExpiryInterval', type: 'uint32', commands: 'pw' },
  { name: 'content-type', property: 'contentType', type: 'string', commands: 'pw' },
  { name: 'response-topic', property: 'responseTopic', type: 'string', commands: 'pw' },
  { name: 'correlation-data', property: 'correlationData', type: 'binary', commands: 'pw' },
  { name: 'subscription-identifier', property: 'subscriptionIdentifier', type: 'varint', commands: 'ps', least: 1 },
  { name: 'session-expiry-interval', property: 'sessionExpiryInterval', type: 'uint32', commands: 'cd' },
  { name: 'authentication-method', property: 'authenticationMethod', type: 'string', commands: 'c' },
  { name: 'authentication-data', property: 'authenticationData', type: 'binary', commands: 'c' },
  { name: 'request-problem-information', property: 'requestProblemInformation', type: 'byte', commands: 'c', most: 1 },
  { name: 'will-delay-interval', property: 'willDelayInterval', type: 'uint32', commands: 'w' },
  {
    name: 'request-response-information',
    property: 'requestResponseInformation',
    type: 'byte',
    commands: 'c',
    most: 1,
  },
  { name: 'reason-string', property: 'reasonString', type: 'string', commands: 'd' },
  { name: 'receive-maximum', property: 'receiveMaximum', type: 'uint16', commands: 'c', least: 1 },
  { name: 'topic-alias-maximum', property: 'topicAliasMaximum', type: 'uint16', commands: 'c' },
  { name: 'topic-alias', property: 'topicAlias', type: 'uint16', commands: 'p', least: 1 },
  { name: 'user-property', property: 'userProperties', type: 'pair', commands: 'cpsudw' },
  { name: 'maximum-packet-size', property: 'maximumPacketSize', type: 'uint32', commands: 'c', least: 1 },
];

/** Properties that only brokers send: known by name, allowed nowhere here. */
const ofBrokers = [
  'assigned-client-identifier',
  'server-keep-alive',
  'response-information',
  'server-reference',
  'maximum-qos',
  'retain-available',
  'wildcard-subscription-available',
  'subscription-identifier-available',
  'shared-subscription-available',
];

const commands: readonly PropertyCommand[] = ['connect', 'publish', 'subscribe', 'unsubscribe', 'disconnect', 'will'];
/** Packets that a user has no say in. */
const notSupported = ['auth', 'puback', 'pubrec', 'pubrel', 'pubcomp', 'suback', 'unsuback', 'connack'];

const where = 'in --property argument.';

export function addProperty(draft: Draft, commandWord: string, values: Values): UsageError | undefined {
  const name = values.next();
  const first = values.next();
  if (name === null || first === null) return tooFew();
  const command = commands.find(each => each === commandWord.toLowerCase());
  const row = rows.find(each => each.name === name);
  if (command === undefined) return wrongCommand(commandWord, name);
  if (row === undefined) return wrongName(name, command);
  if (!row.commands.includes(command.charAt(0)))
    return invalid(`${name} property not allowed for ${commandWord} ${where}`, true);
  if (command === 'publish' && row.property === 'subscriptionIdentifier') {
    return invalid(`${name} property not supported for ${commandWord} ${where}`, true);
  }
  draft.version = 5;
  return row.type === 'pair' ? addPair(draft, command, first, values) : addOne(draft, command, row, first);
}

function tooFew(): UsageError {
  return invalid(
    '--property argument given but not enough arguments specified.',
    true,
    'Such as: -D publish content-type text/plain',
  );
}

function wrongCommand(command: string, name: string): UsageError {
  if (notSupported.includes(command.toLowerCase())) {
    return invalid(`${name} property not supported for ${command} ${where}`, true);
  }
  return invalid(`Invalid command ${command} given ${where}`, true, `There are ${commands.join(', ')}.`);
}

function wrongName(name: string, command: string): UsageError {
  if (ofBrokers.includes(name)) return invalid(`${name} property not allowed for ${command} ${where}`, true);
  const meant = nearestName(
    name,
    rows.map(row => row.name),
  );
  const hint = meant === null ? `There are ${rows.map(row => row.name).join(', ')}.` : `Did you mean '${meant}'?`;
  return invalid(`Invalid property name ${name} given ${where}`, true, hint);
}

function addPair(draft: Draft, command: PropertyCommand, key: string, values: Values): UsageError | undefined {
  const value = values.next();
  if (value === null) return tooFew();
  (draft.properties[command].userProperties ??= []).push([key, value]);
  return undefined;
}

const upTo: Partial<Record<PropertyType, number>> = {
  byte: 0xff,
  uint16: 0xffff,
  uint32: 0xffff_ffff,
  varint: 268_435_455,
};

function addOne(draft: Draft, command: PropertyCommand, row: PropertyArgument, text: string): UsageError | undefined {
  const properties = draft.properties[command] as Record<string, unknown>;
  if (properties[row.property] !== undefined) {
    return wrongIn(command, 'Duplicate property in property list', `${row.name} may be given once.`);
  }
  const max = upTo[row.type];
  if (max === undefined) {
    if (Buffer.byteLength(text) > 0xffff) return invalid(`Property value too long for property ${row.name}.`, true);
    properties[row.property] = row.type === 'binary' ? Buffer.from(text) : text;
    return undefined;
  }
  if (!/^\s*[+-]?(0x[\da-f]+|\d+)$/i.test(text)) return invalid(`Property value '${text}' not a number.`, true);
  const value = Number(text);
  if (!(value >= 0 && value <= max))
    return invalid(`Property value (${value}) out of range for property ${row.name}.`, true);
  if (value < (row.least ?? 0) || value > (row.most ?? max)) {
    const text = 'A network protocol error occurred when communicating with the broker';
    return wrongIn(command, text, `${row.name} is ${row.least ?? 0} to ${row.most ?? max}.`);
  }
  properties[row.property] = value;
  return undefined;
}

/** What libmosquitto finds when it looks at all properties of a packet. */
function wrongIn(command: PropertyCommand, text: string, hint: string): UsageError {
  return { kind: 'error', line: `Error in ${command.toUpperCase()} properties: ${text}`, hint, blankLine: false };
}
