/** Chapter: the process, and the file itself. include_dir is a row like any other, but read.ts does what it says. */
import { globalOption, specialOption, withoutEffect, type OptionRow } from './row.ts';
import { ignored, path, text } from './types.ts';

/** Options that Mosquitto itself has given up. Their names must not stop a file that worked for years. */
const removed = (name: string, says: string, since: string, why: string): OptionRow =>
  specialOption<null, 'global'>({
    name,
    type: ignored,
    says,
    standard: 'none',
    since,
    reload: 'none',
    fate: withoutEffect(why),
    scope: 'global',
    needs: 'nothing',
    fields: [],
    put(_settings, _value, reading, written) {
      const gone =
        written === 'dhparamfile'
          ? 'dhparamfile is no longer required.'
          : `The '${written}' option is no longer available.`;
      reading.say('warning', `Warning: ${gone}`);
    },
  });

const sinceRemoved = 'since 2.0 unknown to Mosquitto, which refuses the file';

export const processOptions: readonly OptionRow[] = [
  specialOption<string, 'global'>({
    name: 'include_dir',
    type: text('directory', '/tmp'),
    repeat: 'add',
    says: 'Reads every file of the directory whose name ends in .conf, in the order 00 01 A a B b. In the main file only. Listeners, bridges and plugins of other files are not current inside.',
    standard: 'none',
    since: '<=1.4',
    reload: 'live',
    scope: 'global',
    needs: 'nothing',
    fields: [],
    put(_settings, directory, reading) {
      reading.include(directory);
    },
  }),
  globalOption({
    name: 'user',
    type: text('name', 'mosquitto'),
    field: 'user',
    repeat: 'last',
    says: 'User to become when started as root. Everything but this file is read as that user. If mosquitto does not exist, nobody is taken.',
    since: '<=1.4',
    reload: 'restart',
  }),
  globalOption({
    name: 'pid_file',
    type: path,
    field: 'pidFile',
    repeat: 'error',
    says: 'File that holds the process id while the broker runs.',
    standard: 'none',
    since: '<=1.4',
    reload: 'restart',
  }),
  globalOption({
    name: 'admin_socket',
    type: path,
    field: 'adminSocket',
    repeat: 'error',
    says: 'Unix socket on which `zancudo status`, `clients`, `sessions`, `topics`, `retained`, `drops` and `reload` reach this broker. Whoever may open it may do all of that: it is made for its owner alone (0600), in a folder that is made 0700 when it is not there.',
    standard: 'none with -c; run/operators.sock in a home',
    since: 'ours',
    reload: 'restart',
  }),
  removed(
    'retry_interval',
    'Seconds until a message was sent again.',
    '<=1.4, removed in 1.5',
    'a message is sent again when its client comes back, as the standard says',
  ),
  removed(
    'dhparamfile',
    'Parameters for ciphers that are no longer used.',
    '1.6, removed in 2.1',
    'key exchange uses elliptic curves, which need no parameters',
  ),
  removed(
    'store_clean_interval',
    'Seconds between two sweeps of the message store.',
    '<=1.4, removed in 2.0',
    `nothing has to be swept (${sinceRemoved})`,
  ),
  removed(
    'max_log_entries',
    'Leftover of RSMB.',
    '<=1.4, removed in 2.0',
    `log lines are not kept in memory (${sinceRemoved})`,
  ),
  removed('ffdc_output', 'Leftover of RSMB.', '<=1.4, removed in 2.0', `errors are in the log (${sinceRemoved})`),
  removed('trace_level', 'Leftover of RSMB.', '<=1.4, removed in 2.0', `use log_type debug (${sinceRemoved})`),
  removed('trace_output', 'Leftover of RSMB.', '<=1.4, removed in 2.0', `use log_dest (${sinceRemoved})`),
];
