/** Chapter: the CA that gives devices their certificates, and where they come to get them. */
import { globalOption, innerListenerOption, type OptionRow } from './row.ts';
import { bool, choice, integer, text } from './types.ts';

export const enrolment: readonly OptionRow[] = [
  innerListenerOption({
    name: 'enrolment',
    type: bool,
    field: 'enrolment',
    says: 'Devices may come to this listener for a certificate of the CA in ca_home, with the token of an invitation (zancudo device invite), and to renew the one they have: over HTTPS on the same port (EST, RFC 7030) and over MQTT. The kits of zancudo device add --link are served here, too. Needs TLS and protocol mqtt.',
    standard: 'false; true in a secure home, where the listener asks for certificates',
    since: 'ours',
    reload: 'restart',
  }),
  globalOption({
    name: 'ca_home',
    type: text('directory', '/var/lib/zancudo'),
    field: 'caHome',
    repeat: 'last',
    says: 'Folder of the CA that zancudo ca and zancudo device work on (their --home), for listeners with enrolment. Devices come in where a listener has its clients/trusted.crt as cafile, and its access file is in force where acl_file names it. The broker notices changes in it by itself.',
    standard: 'none; the secure home has its own',
    since: 'ours',
    reload: 'restart',
  }),
  globalOption({
    name: 'enrolment_grace_days',
    type: integer({ argument: 'days, 0-3650', min: 0, max: 3650, outside: '3651' }),
    field: 'enrolmentGraceDays',
    says: 'How long after its end a certificate of ca_home may still be exchanged for a new one, and for nothing else. 0 is never.',
    since: 'ours',
    reload: 'live',
  }),
  globalOption({
    name: 'device_policy',
    type: choice(['refuse', 'quarantine'], "Error: Invalid '<name>' value (<word>)."),
    field: 'devicePolicy',
    says: 'What becomes of a device (zancudo device) that publishes, or asks for, what its certificate does not allow. refuse: that attempt is refused. quarantine: it stays connected and nothing of it passes, in or out, until its rules allow what it tried or the operator lets it out (zancudo quarantine); the log, $SYS and zancudo status tell of it.',
    since: 'ours',
    reload: 'live',
  }),
];
