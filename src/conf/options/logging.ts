/** Chapter: what is told, and where. */
import { globalOption, logOption, specialOption, withoutEffect, type OptionRow } from './row.ts';
import { bool, choice, emptyValue, ignored, integer, text, type ValueType } from './types.ts';
import { refuse } from '../error.ts';
import type { LogClass, LogDestination } from '../settings.ts';

const destinationWords = ['none', 'stdout', 'stderr', 'syslog', 'topic', 'dlt', 'android', 'file'] as const;
type Destination = { kind: 'none' } | { kind: 'dlt' } | { kind: 'android' } | LogDestination;

const destination: ValueType<Destination> = {
  argument: 'none | stdout | stderr | syslog | topic | file path | dlt | android',
  good: ['none', 'stdout', 'stdout unbuffered', 'stderr', 'syslog', 'topic', 'file /tmp/zancudo example.log'],
  bad: [
    { text: 'foo', error: "Error: Invalid 'log_dest' value (foo)." },
    { text: 'file', error: 'Error: Empty "log_dest file" value in configuration.' },
    { text: '', error: "Error: Empty 'log_dest' value in configuration." },
  ],
  read(argument, name) {
    const word = argument.word() ?? emptyValue(name);
    const kind = destinationWords.find(each => each === word);
    if (kind === undefined) {
      refuse(`Error: Invalid 'log_dest' value (${word}).`, `Write one of: ${destinationWords.join(', ')}.`);
    }
    if (kind !== 'file') {
      // Lines leave at once here, so that `stdout unbuffered` is what stdout always is.
      if (kind === 'stdout') argument.word();
      return { kind };
    }
    const path = argument.rest();
    if (path !== '') return { kind, path };
    refuse(
      'Error: Empty "log_dest file" value in configuration.',
      "Write the path: 'log_dest file /var/log/zancudo.log'.",
    );
  },
};

const everyClass: readonly LogClass[] = [
  'error',
  'warning',
  'notice',
  'information',
  'debug',
  'subscribe',
  'unsubscribe',
  'internal',
  'websockets',
];

export const logging: readonly OptionRow[] = [
  specialOption<Destination, 'log'>({
    name: 'log_dest',
    type: destination,
    says: 'Where log lines go; repeat it for several. none takes back what stands above it. topic publishes them below $SYS/broker/log.',
    standard: 'stderr',
    since: '<=1.4',
    reload: 'live',
    fate: withoutEffect('there is no such logging service on this system; the other destinations stay as they are'),
    only: { when: 'dlt, android', test: value => value.kind === 'dlt' || value.kind === 'android' },
    scope: 'log',
    needs: 'nothing',
    fields: ['destinations'],
    put(log, value, reading) {
      if (value.kind === 'dlt' || value.kind === 'android') return;
      if (reading.begins('log_dest') || value.kind === 'none') log.destinations = [];
      if (value.kind === 'file' && log.destinations.some(({ kind }) => kind === 'file')) {
        refuse('Error: Duplicate "log_dest file" value.', 'One log file is all there is; take one of the lines out.');
      }
      if (value.kind !== 'none') log.destinations.push(value);
    },
  }),
  specialOption<LogClass | 'none' | 'all', 'log'>({
    name: 'log_type',
    type: choice([...everyClass, 'none', 'all']),
    says: 'Which lines are written; repeat it for several. The first one replaces the default; none takes back what stands above it. -v and -q on the command line count before it.',
    standard: 'error, warning, notice, information',
    since: '<=1.4',
    reload: 'live',
    scope: 'log',
    needs: 'nothing',
    fields: ['classes'],
    put(log, value, reading) {
      if (reading.begins('log_type') || value === 'none') log.classes = [];
      if (value === 'all') log.classes = [...everyClass];
      else if (value !== 'none' && !log.classes.includes(value)) log.classes.push(value);
    },
  }),
  logOption({
    name: 'log_facility',
    type: integer({ argument: '0-7', min: 0, max: 7, outside: '8', good: ['0', '7'] }),
    field: 'facility',
    says: 'Facility of syslog, local0 to local7.',
    standard: 'daemon',
    since: '<=1.4',
    reload: 'live',
  }),
  logOption({
    name: 'log_timestamp',
    type: bool,
    field: 'timestamp',
    says: 'Begins every line with the time.',
    since: '<=1.4',
    reload: 'live',
  }),
  logOption({
    name: 'log_timestamp_format',
    type: text('strftime format', '%Y-%m-%dT%H:%M:%S'),
    field: 'timestampFormat',
    repeat: 'error',
    says: 'How the time is written, in local time, such as %Y-%m-%dT%H:%M:%S.',
    standard: 'seconds since 1970',
    since: '1.6',
    reload: 'live',
  }),
  logOption({
    name: 'log_format',
    type: choice(['text', 'json']),
    field: 'format',
    says: 'json writes one object a line, with time, level, code and message, and client, address, listener, user and the like in fields of their own. The time is ISO 8601 in UTC unless log_timestamp_format says otherwise.',
    since: 'ours',
    reload: 'live',
  }),
  logOption({
    name: 'log_fold_after',
    type: integer({ argument: 'lines, 0-100000', min: 0, max: 100_000, outside: '100001', good: ['0', '10'] }),
    field: 'foldAfter',
    says: 'How many lines of one kind of trouble from one address are written a minute, and five times as many at once; what comes on top is counted, and once a minute a line says how many there were and what the last one said, until a minute was quiet. A client that comes and goes may do so six times a minute for each of them: by default once a second. 0 writes every line.',
    since: 'ours',
    reload: 'live',
  }),
  logOption({
    name: 'connection_messages',
    type: bool,
    field: 'connectionMessages',
    says: 'Writes a line when a client connects and when it leaves.',
    since: '<=1.4',
    reload: 'live',
  }),
  globalOption({
    name: 'sys_interval',
    type: integer({ argument: 'seconds, 0-65535', min: 0, max: 65_535, outside: '65536' }),
    field: 'sysIntervalSeconds',
    says: 'Seconds between two updates of the $SYS topics. 0 is no $SYS topics at all.',
    since: '<=1.4',
    reload: 'live',
  }),
  globalOption({
    name: 'enable_control_api',
    type: bool,
    field: 'enableControlApi',
    says: 'Answers questions about listeners and plugins on $CONTROL/broker/v1.',
    since: '2.1',
    reload: 'live',
  }),
  specialOption<null, 'global'>({
    name: 'websockets_log_level',
    type: { ...ignored, argument: 'number', good: ['0', '255'] },
    says: 'Log mask of libwebsockets.',
    standard: '0',
    since: '<=1.4',
    reload: 'none',
    fate: withoutEffect('WebSockets do not come from libwebsockets here; log_type websockets shows their lines'),
    scope: 'global',
    needs: 'nothing',
    fields: [],
    put: () => undefined,
  }),
];
