/** Chapter: bridges to other brokers. */
import { bridgeOption, specialOption, withoutEffect, type OptionRow, type Row } from './row.ts';
import { bool, choice, emptyValue, integer, text } from './types.ts';
import { refuse } from '../error.ts';
import { newBridge, type BridgeSettings } from '../settings-bridge.ts';
import { bridgeTopic, type TopicLine } from './bridge-topic.ts';
import {
  addresses,
  keepalive,
  receiveMaximum,
  restartTimeout,
  sessionExpiry,
  startType,
  type RestartTimeout,
} from './bridge-types.ts';

type BridgeRow<T> = Omit<Row<T>, 'reload'>;

/** A number below the smallest is raised to it, with a line that says so. */
function raised<F extends 'keepaliveSeconds' | 'idleTimeoutSeconds' | 'threshold'>(
  row: BridgeRow<number> & { field: F; smallest: number; raisedLine: string },
): OptionRow {
  return specialOption<number, 'bridge'>({
    ...row,
    reload: 'live',
    scope: 'bridge',
    needs: 'bridge',
    fields: [row.field],
    put(bridge, value, reading) {
      if (value < row.smallest) reading.say('notice', row.raisedLine);
      bridge[row.field] = Math.max(value, row.smallest);
    },
  });
}

const flag = (name: string, field: BridgeFlag, says: string, since: string): OptionRow =>
  bridgeOption({ name, type: bool, field, says, since, reload: 'live' });
type BridgeFlag = 'cleanSession' | 'localCleanSession' | 'roundRobin' | 'tryPrivate' | 'notifications' | 'notificationsLocalOnly' | 'attemptUnsubscribe' | 'outgoingRetain'; // prettier-ignore

const named = (name: string, calls: string, field: BridgeText, says: string, standard: string, aliases: string[] = []) =>
  bridgeOption({ name, aliases, calls, type: text('text'), field, says, standard, repeat: 'error', since: '<=1.4', reload: 'live' }); // prettier-ignore
type BridgeText = 'remoteClientId' | 'remoteUsername' | 'remotePassword' | 'localClientId' | 'localUsername' | 'localPassword' | 'notificationTopic'; // prettier-ignore

export const bridges: readonly OptionRow[] = [
  specialOption<string, 'global'>({
    name: 'connection',
    type: {
      ...text('name', 'upstream'),
      bad: [{ text: '', error: "Error: Empty 'connection' value in configuration." }],
      read: (argument, name) => argument.word() ?? emptyValue(name),
    },
    repeat: 'add',
    says: 'Opens the section of a bridge; the options below belong to it. Needs an address and a topic.',
    standard: 'none',
    since: '<=1.4',
    reload: 'live',
    scope: 'global',
    needs: 'nothing',
    fields: ['bridges'],
    put(settings, name, reading) {
      if (settings.bridges.some(bridge => bridge.name === name)) {
        refuse(`Error: Duplicate bridge name '${name}'.`, 'Every connection needs a name of its own.');
      }
      const bridge = newBridge(name, reading.place);
      settings.bridges.push(bridge);
      reading.current.bridge = bridge;
    },
  }),
  specialOption<BridgeSettings['addresses'], 'bridge'>({
    name: 'address',
    aliases: ['addresses'],
    type: addresses,
    says: 'The other broker; several are tried in turn. What follows the last colon is the port.',
    standard: 'none; port 1883',
    since: '<=1.4',
    reload: 'live',
    scope: 'bridge',
    needs: 'bridge',
    fields: ['addresses'],
    put(bridge, value) {
      if (bridge.addresses.length > 0) {
        refuse("Error: Invalid bridge configuration, 'address' only allowed once.", 'Write all addresses on one line.');
      }
      bridge.addresses = value;
    },
  }),
  specialOption<TopicLine, 'bridge'>({
    name: 'topic',
    type: bridgeTopic,
    repeat: 'add',
    says: 'Topics that pass: pattern, direction (out, in or both), QoS, prefix on this side, prefix on the other side.',
    standard: 'out 0',
    since: '<=1.4',
    reload: 'live',
    scope: 'bridge',
    needs: 'bridge',
    fields: ['topics'],
    put(bridge, value, reading) {
      bridge.topics.push({ ...value, place: reading.place });
    },
  }),
  bridgeOption({
    name: 'bridge_protocol_version',
    type: choice(['mqttv31', 'mqttv311', 'mqttv50']),
    field: 'protocolVersion',
    says: 'Version of MQTT spoken to the other broker.',
    since: '<=1.4 (mqttv50: 2.0)',
    reload: 'live',
  }),
  bridgeOption({
    name: 'start_type',
    type: startType,
    field: 'startType',
    says: 'When the bridge connects: at the start, when messages wait, or once.',
    since: '<=1.4',
    reload: 'live',
  }),
  bridgeOption({
    name: 'bridge_reload_type',
    type: choice(['lazy', 'immediate'], "Error: Invalid '<name>' value in configuration (<word>)."),
    field: 'reloadType',
    says: 'When SIGHUP changes a bridge: at its next reconnection, or at once.',
    since: '2.1',
    reload: 'live',
  }),
  specialOption<{ value: RestartTimeout; notes: string[] }, 'bridge'>({
    name: 'restart_timeout',
    type: restartTimeout,
    says: 'Seconds until the next attempt: constant, or random between base and cap. stable: seconds a connection must hold before the delay begins anew.',
    standard: '5 30',
    since: '<=1.4 (two numbers 1.6, stable 2.1)',
    reload: 'live',
    scope: 'bridge',
    needs: 'bridge',
    fields: ['restartTimeout'],
    put(bridge, { value, notes }, reading) {
      bridge.restartTimeout = value;
      for (const note of notes) reading.say(note.startsWith('Error') ? 'error' : 'notice', note);
    },
  }),
  raised({
    name: 'keepalive_interval',
    type: integer({
      argument: 'seconds, 5-65535',
      max: 65_535,
      outside: '65536',
      error: 'Error: Bridge keepalive value too high.',
    }),
    field: 'keepaliveSeconds',
    smallest: 5,
    raisedLine: 'keepalive interval too low, using 5 seconds.',
    says: 'Keep alive towards the other broker.',
    standard: '60',
    since: '<=1.4',
  }),
  raised({
    name: 'idle_timeout',
    type: integer({ argument: 'seconds, 1 or more' }),
    field: 'idleTimeoutSeconds',
    smallest: 1,
    raisedLine: 'idle_timeout interval too low, using 1 second.',
    says: 'A lazy bridge disconnects after this time without messages.',
    standard: '60',
    since: '<=1.4',
  }),
  raised({
    name: 'threshold',
    type: integer({ argument: 'number, 1 or more' }),
    field: 'threshold',
    smallest: 1,
    raisedLine: 'threshold too low, using 1 message.',
    says: 'Messages that make a lazy bridge connect.',
    standard: '10',
    since: '<=1.4',
  }),
  named(
    'remote_clientid',
    'bridge remote clientid',
    'remoteClientId',
    'Client id at the other broker.',
    '<hostname>.<connection name>',
    ['clientid'],
  ),
  named('remote_username', 'bridge remote_username', 'remoteUsername', 'User name at the other broker.', 'none', [
    'username',
  ]),
  named('remote_password', 'bridge remote_password', 'remotePassword', 'Password at the other broker.', 'none', [
    'password',
  ]),
  named(
    'local_clientid',
    'bridge local clientid',
    'localClientId',
    'Client id of the bridge at this broker.',
    'local.<remote_clientid>',
  ),
  named('local_username', 'bridge local_username', 'localUsername', 'User name of the bridge at this broker.', 'none'),
  named(
    'local_password',
    'bridge local_password',
    'localPassword',
    'Password of the bridge at this broker; nobody asks for it.',
    'none',
  ),
  named(
    'notification_topic',
    'notification_topic',
    'notificationTopic',
    'Topic on which the state of the bridge is published.',
    '$SYS/broker/connection/<remote_clientid>/state',
  ),
  flag('notifications', 'notifications', 'Publishes the state of the bridge, retained, on both sides.', '<=1.4'),
  flag('notifications_local_only', 'notificationsLocalOnly', 'Publishes it on this side only.', '1.5'),
  flag('cleansession', 'cleanSession', 'The other broker keeps nothing while the bridge is down.', '<=1.4'),
  flag(
    'local_cleansession',
    'localCleanSession',
    'This broker keeps nothing while the bridge is down. What cleansession says unless set.',
    '2.0',
  ),
  flag('round_robin', 'roundRobin', 'Stays with whichever address works; false goes back to the first.', '<=1.4'),
  flag('try_private', 'tryPrivate', 'Tells an MQTT 3 broker that this is a bridge.', '<=1.4'),
  flag(
    'bridge_attempt_unsubscribe',
    'attemptUnsubscribe',
    'Unsubscribes at the other broker from topics that only go out.',
    '<=1.4',
  ),
  flag('bridge_outgoing_retain', 'outgoingRetain', 'Sends retained messages as retained.', '2.0'),
  bridgeOption({
    name: 'bridge_bind_address',
    type: text('address', '192.0.2.7'),
    field: 'bindAddress',
    repeat: 'error',
    says: 'Address of this machine that the bridge connects from.',
    standard: 'any',
    since: '2.0',
    reload: 'live',
  }),
  bridgeOption({
    name: 'bridge_max_packet_size',
    type: integer({ argument: 'bytes', as: n => Math.max(n, 0) }),
    field: 'maxPacketSizeBytes',
    says: 'Larger packets are not sent to the other broker. 0 is no limit.',
    since: '2.0',
    reload: 'live',
  }),
  bridgeOption({
    name: 'bridge_max_topic_alias',
    type: integer({
      argument: '0-65535',
      min: 0,
      max: 65_535,
      outside: '65536',
      error: 'Error: bridge_max_topic_alias must be > 0 and <= 65535.',
    }),
    field: 'maxTopicAlias',
    says: 'Topic aliases in both directions, with MQTT 5.',
    since: '2.1',
    reload: 'live',
  }),
  bridgeOption({
    name: 'bridge_receive_maximum',
    type: receiveMaximum,
    field: 'receiveMaximum',
    says: 'QoS 1 and 2 messages the other broker may have on the way to us, with MQTT 5.',
    standard: 'max_inflight_messages',
    since: '2.1',
    reload: 'live',
  }),
  bridgeOption({
    name: 'bridge_session_expiry_interval',
    type: sessionExpiry,
    field: 'sessionExpirySeconds',
    says: 'How long the other broker keeps the session, with MQTT 5. 4294967295 is for ever.',
    standard: '4294967295, or 0 with cleansession true',
    since: '2.1',
    differs:
      'Mosquitto sends 0 unless told otherwise, so that a bridge with MQTT 5 loses what is published over there while it is down. Mosquitto 2.1.2 cannot read numbers above 2147483647.',
    reload: 'live',
  }),
  bridgeOption({
    name: 'bridge_tcp_keepalive',
    type: keepalive,
    field: 'tcpKeepalive',
    says: 'TCP keep alive: seconds of silence, seconds between probes, probes.',
    standard: 'off',
    since: '2.1',
    reload: 'live',
  }),
  bridgeOption({
    name: 'bridge_tcp_user_timeout',
    type: integer({ argument: 'milliseconds', min: 0, outside: '-1', error: 'Error: invalid TCP user timeout value.' }),
    field: 'tcpUserTimeoutMilliseconds',
    says: 'TCP_USER_TIMEOUT of the connection.',
    fate: withoutEffect(
      'Node.js cannot set it; a connection that is dead is found by keepalive_interval or bridge_tcp_keepalive',
    ),
    standard: 'the system\u2019s own',
    since: '2.1',
    reload: 'live',
  }),
];
