/** Chapter: who may come in, and what they may publish and read. */
import { globalOption, securityOption, specialOption, type OptionRow } from './row.ts';
import { bool, path, text, type ValueType } from './types.ts';
import { refuse } from '../error.ts';

const prefix: ValueType<string> = {
  ...text('text of at most 50 bytes'),
  bad: [
    { text: 'x'.repeat(51), error: 'Error: auto_id_prefix length must be <= 50.' },
    { text: '', error: "Error: Empty 'auto_id_prefix' value in configuration." },
  ],
  read(argument, name) {
    const value = text('').read(argument, name);
    if (Buffer.byteLength(value) <= 50) return value;
    refuse('Error: auto_id_prefix length must be <= 50.', `It has ${Buffer.byteLength(value)} bytes.`);
  },
};

export const access: readonly OptionRow[] = [
  specialOption<boolean, 'global'>({
    name: 'per_listener_settings',
    type: bool,
    says: 'When true, allow_anonymous, allow_zero_length_clientid, auto_id_prefix, password_file, acl_file, psk_file and plugin belong to the listener above them instead of to all. Must stand above all of these; cannot be taken back further down.',
    since: '1.5',
    deprecated: 'Please see the documentation for how to achieve the same effect.',
    reload: 'live',
    scope: 'global',
    needs: 'nothing',
    fields: ['perListenerSettings'],
    put(settings, value, reading) {
      if (value && !settings.perListenerSettings) reading.usePerListenerSettings();
      if (value || !settings.perListenerSettings) return;
      const { file, line } = reading.place;
      reading.say('warning', `${file}:${line}: 'per_listener_settings' is true since an earlier line and stays so.`);
    },
  }),
  specialOption<boolean, 'security'>({
    name: 'allow_anonymous',
    type: bool,
    says: 'Lets clients in that send no user name. Without password_file and plugins, true lets everybody in, whatever name and password they send, and false lets nobody in.',
    standard: 'false; true in local-only mode',
    since: '<=1.4',
    differs: 'false counts in local-only mode too; Mosquitto 2.0 forgets it there.',
    reload: 'live',
    scope: 'security',
    needs: 'security',
    fields: ['allowAnonymous'],
    put(security, value, reading) {
      security.allowAnonymous = value;
      if (!reading.settings.perListenerSettings) return;
      reading.say(
        'notice',
        "You are using the 'allow_anonymous' option with 'per_listener_settings true'. Please replace this with 'listener_allow_anonymous'.",
      );
    },
  }),
  securityOption({
    name: 'password_file',
    type: path,
    field: 'passwordFile',
    repeat: 'last',
    says: 'File of user names and password hashes, as mosquitto_passwd writes it.',
    standard: 'none',
    since: '<=1.4',
    reload: 'live',
    differs: 'A file that does not hold keeps the old users at SIGHUP; Mosquitto 2.1 exits.',
  }),
  securityOption({
    name: 'acl_file',
    type: path,
    field: 'aclFile',
    repeat: 'last',
    says: 'File of rules: which user may publish and read which topics. Without it everybody who is in may do everything.',
    standard: 'none',
    since: '<=1.4',
    reload: 'live',
    differs: 'A file that does not hold keeps the old rules at SIGHUP; Mosquitto 2.1 exits.',
  }),
  specialOption<string, 'security'>({
    name: 'psk_file',
    type: path,
    repeat: 'last',
    says: 'File of identities and keys for listeners with psk_hint, one identity:key in hexadecimal per line.',
    standard: 'none',
    since: '<=1.4',
    reload: 'live',
    scope: 'security',
    needs: 'security',
    fields: ['pskFile'],
    put(security, value, reading) {
      if (typeof reading.current.listener?.certfile === 'string') {
        refuse(
          'Error: Cannot use both certificate and psk encryption in a single listener.',
          'The current listener has a certfile. Give pre-shared keys a listener of their own.',
        );
      }
      security.pskFile = value;
    },
  }),
  securityOption({
    name: 'allow_zero_length_clientid',
    type: bool,
    field: 'allowZeroLengthClientId',
    says: 'Lets MQTT 3.1.1 and 5 clients leave their client id empty; the broker makes one.',
    since: '<=1.4',
    reload: 'live',
  }),
  securityOption({
    name: 'auto_id_prefix',
    type: prefix,
    field: 'autoIdPrefix',
    repeat: 'error',
    says: 'Beginning of the client ids that the broker makes.',
    standard: 'auto-',
    since: '<=1.4',
    deprecated: "Please use 'listener_auto_id_prefix' instead.",
    reload: 'live',
  }),
  globalOption({
    name: 'clientid_prefixes',
    type: text('text'),
    field: 'clientIdPrefix',
    repeat: 'last',
    says: 'Lets only clients in whose client id begins with this one text.',
    standard: 'any',
    since: '<=1.4',
    deprecated: '',
    reload: 'live',
  }),
  globalOption({
    name: 'check_retain_source',
    type: bool,
    field: 'checkRetainSource',
    says: 'Before a retained message goes to a new subscriber: may its publisher still publish there?',
    since: '1.5.6',
    reload: 'live',
  }),
];
