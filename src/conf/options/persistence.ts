/** Chapter: what survives a restart. */
import { globalOption, innerListenerOption, withoutEffect, type OptionRow } from './row.ts';
import { bool, choice, emptyValue, integer, path, text, type ValueType } from './types.ts';
import { refuse } from '../error.ts';

const always = withoutEffect(
  'durability says when things are saved; by default what is acknowledged at QoS 1 and 2 is on the disk already',
);

const secondsPerUnit: Readonly<Record<string, number>> = {
  s: 1,
  h: 3600,
  d: 86_400,
  w: 7 * 86_400,
  m: 30 * 86_400,
  y: 365 * 86_400,
};

const invalidDuration = "Error: Invalid 'persistent_client_expiration' duration in configuration.";

const duration: ValueType<number> = {
  argument: 'number and unit: s h d w m y',
  good: ['90s', '12h', '7d', '2w', '1m', '1y'],
  bad: [
    { text: '7', error: invalidDuration },
    { text: '0d', error: invalidDuration },
    { text: 'soon', error: invalidDuration },
    { text: '', error: "Error: Empty 'persistent_client_expiration' value in configuration." },
  ],
  read(argument, name) {
    const word = argument.word() ?? emptyValue(name);
    const [, number = '', unit = ''] = /^([0-9]{1,9})([shdwmy])$/.exec(word) ?? [];
    const seconds = Number(number) * (secondsPerUnit[unit] ?? 0);
    if (seconds > 0) return seconds;
    refuse(
      invalidDuration,
      `Found '${word}'. Write a number with its unit: s, h, d, w, m (30 days) or y, such as 14d.`,
    );
  },
};

export const persistence: readonly OptionRow[] = [
  globalOption({
    name: 'persistence',
    aliases: ['retained_persistence'],
    type: bool,
    field: 'persistence',
    says: 'Keeps sessions, subscriptions, queued and retained messages and wills in a file. QoS 1 and 2 are acknowledged when they are on the disk.',
    since: '<=1.4',
    reload: 'restart',
  }),
  globalOption({
    name: 'persistence_location',
    type: text('directory', '/var/lib/mosquitto/'),
    field: 'persistenceLocation',
    repeat: 'error',
    says: 'Directory of what is kept: the file mosquitto.sqlite3 in it.',
    standard: 'the working directory',
    since: '<=1.4',
    reload: 'restart',
  }),
  globalOption({
    name: 'persistence_file',
    type: text('file name', 'mosquitto.db'),
    field: 'persistenceFile',
    repeat: 'error',
    says: "Name of Mosquitto's own database in persistence_location. The first start takes over what it holds and leaves it as it is.",
    since: '<=1.4',
    reload: 'none',
    differs: 'What is kept from then on is in mosquitto.sqlite3 beside it.',
  }),
  globalOption({
    name: 'durability',
    type: choice(['commit', 'interval', 'none'], "Error: Invalid '<name>' value (<word>)."),
    field: 'durability',
    says: 'What an acknowledgement at QoS 1 and 2 promises. commit: it is on the disk, whatever happens. interval: it is on the disk within durability_interval seconds; a crash or a power cut may cost those. none: it is kept over a proper stop; a crash may cost everything of the last half hour.',
    since: 'ours',
    reload: 'restart',
  }),
  globalOption({
    name: 'durability_interval',
    type: integer({ argument: 'seconds, 1-3600', min: 1, max: 3600, outside: '0' }),
    field: 'durabilityIntervalSeconds',
    says: 'Seconds between two writes with durability interval.',
    since: 'ours',
    reload: 'restart',
  }),
  innerListenerOption({
    name: 'listener_persistence',
    type: bool,
    field: 'persistence',
    says: 'false keeps the sessions of clients that first come in by this listener in memory alone: they survive a lost connection and not the broker. What these clients publish for others is as safe as ever.',
    since: 'ours',
    reload: 'live',
  }),
  globalOption({
    name: 'flight_recorder',
    type: bool,
    field: 'flightRecorder',
    says: 'Remembers what happens to whom, for `zancudo what happened to CLIENT`: connections and their ends, refusals, subscriptions, messages dropped, bridges, store, start, stop and crash; never a payload or a password. Nothing is done for it when a message passes.',
    since: 'ours',
    reload: 'restart',
  }),
  globalOption({
    name: 'flight_recorder_location',
    type: path,
    field: 'flightRecorderLocation',
    repeat: 'error',
    says: 'Directory for the files of the flight recorder, one for each broker; made 0700 when it is not there.',
    standard: 'record in a home; zancudo-record beside the store; without a store the last MB is kept in memory',
    since: 'ours',
    reload: 'restart',
  }),
  globalOption({
    name: 'flight_recorder_size',
    type: integer({ argument: 'megabytes, 1-100000', min: 1, max: 100_000, outside: '0' }),
    field: 'flightRecorderMegabytes',
    says: 'What its files take at most, all together; the oldest events make room. 64 are some 250,000 events.',
    since: 'ours',
    reload: 'restart',
  }),
  globalOption({
    name: 'autosave_interval',
    type: integer({ argument: 'seconds', as: n => Math.max(n, 0) }),
    field: 'autosaveInterval',
    says: 'Seconds between two saves, or changes with autosave_on_changes. 0 saves at exit only.',
    since: '<=1.4',
    reload: 'none',
    fate: always,
  }),
  globalOption({
    name: 'autosave_on_changes',
    type: bool,
    field: 'autosaveOnChanges',
    says: 'Counts changes instead of seconds.',
    since: '<=1.4',
    reload: 'none',
    fate: always,
  }),
  globalOption({
    name: 'persistent_client_expiration',
    type: duration,
    field: 'persistentClientExpirationSeconds',
    says: 'Forgets the session of a client that stays away longer than this. m is 30 days. Also caps the session expiry that MQTT 5 clients ask for.',
    standard: 'never',
    since: '<=1.4',
    reload: 'live',
  }),
];
