/** Pages: clients, their messages, and what they may. */
import type { Chapter } from './page.ts';

export const clientCodes = {
  'client.connected': [
    'A client is in. p is the version of MQTT, c its clean start, k its keep alive, u its user name.',
    '',
  ],
  'client.disconnected': [
    'A client has left; the reason stands behind the colon, and there is none after a DISCONNECT of its own.',
    '',
  ],
  'client.refused': [
    'A CONNECT was refused: the line says who, from where and why.',
    '`zancudo explain --last CLIENT` has it again; `zancudo explain` answers the question before it is asked.',
  ],
  'client.taken-over': [
    'Another connection came with the same client identifier, and the older one had to go.',
    'Nothing, if the client lost its network and came back.',
  ],
  'client.timed-out': [
    'Nothing was heard of a client for one and a half times its keep alive.',
    'Its power or its network was gone, or its program was stuck.',
  ],
  'client.kicked': ['An operator, or a change of the rules, ended the connection.', ''],
  'client.fault': ['A mistake of the broker ended this one connection; see broker.fault.', 'Please report it.'],
  'client.taking-turns': [
    'Two clients with one client identifier throw each other out again and again.',
    'Give each of them an identifier of its own; the line names both addresses.',
  ],
  'client.confined': ['The client is let in for one purpose alone: to enrol, or to renew an expired certificate.', ''],
  'client.expired': ['A session was kept as long as had been promised, and its client did not come back.', ''],
  'client.protocol-error': [
    'A client broke a rule of MQTT; the line says which, and the connection is closed.',
    "Update the client's library, or report it there.",
  ],
  'client.too-slow': [
    'A client does not read what it has asked for; until it does, its own requests wait.',
    'A slow network, or a program that does too much in its receiving loop.',
  ],
  'client.may-not': [
    'The access rules refused something to a client; the line names topic and rule. Said once a minute for each client.',
    'Correct the rule or the client. `zancudo explain CLIENT TOPIC` shows how each rule decides.',
  ],
  'client.refusals-untold': ['More is being refused than is logged.', '`zancudo explain --last CLIENT` has the rest.'],
  'client.quota-exceeded': [
    'A client sent more QoS 2 messages at once than the CONNACK allowed; they are refused.',
    "Update the client's library: it has to keep to the receive maximum.",
  ],
  'message.dropped': [
    'Messages for a client are lost: its queue is full, or it reads too slowly. Said once for each connection.',
    '`zancudo drops` says how many and why; max_queued_messages and queue_policy decide.',
  ],
  'message.too-large': [
    'A message is larger than its reader can take.',
    'Raise the maximum packet size of that client, or send less.',
  ],
  'message.id-reused': ['A client used a packet identifier again before it was free.', "Update the client's library."],
  'message.id-unknown': ['A client confirmed a message that it was not sent.', "Update the client's library."],
  'message.retained-full': [
    'max_retained_messages or max_retained_bytes is reached: messages are delivered, and not kept.',
    '`zancudo retained` lists and removes; or raise the bound.',
  ],

  'store.opened': [
    'Which file keeps sessions and retained messages, what was restored, and what a crash may lose.',
    '',
  ],
  'store.remark': [
    'Something about the file of the store is worth knowing; it is in use all the same.',
    'Do what the line says.',
  ],
  'store.cannot-open': [
    'The file of the store cannot be opened; the broker does not start.',
    'The line says whether it is in use, unreadable, or written by a newer version.',
  ],
  'store.trouble': [
    'The disk does not take what has to be kept: it is full, read-only or failing. What cannot be kept is not acknowledged, so that nothing is lost silently.',
    'Make room or mend the disk; it goes on by itself.',
  ],
  'store.healed': ['The disk takes what has to be kept again.', ''],
  'store.taken-over': ['Sessions and retained messages of Mosquitto were taken over at the first start.', ''],
  'store.not-taken-over': [
    'What Mosquitto has kept could not be read; sessions and retained messages begin anew.',
    '`zancudo import` tries again, and says more.',
  ],
  'store.configuration': [
    'The configuration does not say where the store is.',
    'Name the configuration file, or the home.',
  ],
  'store.damaged': [
    'The file of the store is damaged; what is whole was kept and the damaged file put aside.',
    'Look at the disk. A backup is taken with `zancudo backup`.',
  ],
  'store.in-use': [
    'Another process has the store open.',
    'Stop that broker, or ask it: `zancudo sessions`, `zancudo backup`.',
  ],
  'store.newer-schema': ['The file was written by a newer version.', 'Use that version, or a backup from before.'],
  'store.no-home': [
    'There is no home, so there is no store to work on.',
    'Name the configuration with -c, or the home with --home.',
  ],
  'store.nothing-kept': ['This configuration keeps nothing (persistence false).', 'Set persistence true.'],
  'store.sqlite3': [
    'The file is no SQLite database of Mosquitto, or one of a form that is not known.',
    'Name the file that mosquitto_persist_sqlite.so has written.',
  ],

  'access.remark': [
    'A password, access or PSK file is in force, and something about it should be different.',
    'Do what the line says; often `chmod 0600 FILE`.',
  ],
  'access.file-unreadable': [
    'A password, access or PSK file cannot be read; at the start the broker ends, at a reload the old one stays.',
    'Correct the path, or give the file to the user the broker runs as.',
  ],
  'access.notice': ['What a password or access file brought about.', ''],
  'access.quarantined': [
    'A device did something that its certificate does not allow; nothing of it passes now.',
    'Look at the device. `zancudo quarantine release NAME` lets it out.',
  ],
  'access.released': ['A device is out of quarantine.', ''],
  'access.anonymous': [
    'Whoever can reach the listener may connect without a name.',
    'Set allow_anonymous false, and make users with `zancudo passwd`.',
  ],
  'access.bad-rule': [
    'A line of an access file or template cannot be read.',
    'The line is named; docs/guides/access.md has the form.',
  ],
  'access.certificate-without-ca': [
    'Client certificates are asked for, and there is no CA to hold them against.',
    'Set cafile to the CA that issues them.',
  ],
  'access.certificate-without-name': [
    'Client certificates are required, and their names are not used: every certificate of the CA is everybody.',
    'Set use_identity_as_username true.',
  ],
  'access.no-template': [
    'A device has a template that is not there.',
    'Make the template, or give the device another.',
  ],
  'access.no-users': ['Nobody can log in: there is no user.', 'Make one with `zancudo passwd`.'],
  'access.nobody': [
    'Nobody can connect: anonymous clients are refused, and there are no passwords, certificates or keys.',
    'Add a password_file, or require_certificate with a cafile.',
  ],
  'access.passwords-in-the-clear': [
    'The password file holds passwords as they are.',
    '`zancudo passwd -U FILE` hashes them.',
  ],

  'backend.remark': ['A database of users is set in a way that should be different.', 'Do what the line says.'],
  'backend.silent': [
    'A database of users does not answer; whoever logs in by it is refused.',
    'Look at the database and the way to it. It is tried again every few seconds.',
  ],
  'backend.answers': ['A database of users answers.', ''],
  'dynsec.request': ['Somebody changed or asked for users, groups or roles on $CONTROL/dynamic-security/v1.', ''],
  'dynsec.not-saved': [
    'A change of users and roles is in force and could not be written to its file.',
    'Make room, or give the file to the user the broker runs as; the next change writes it.',
  ],
  'dynsec.not-loaded': [
    'The file of users and roles cannot be read; nobody is known.',
    'Mend the file, or put a backup in its place, and start the broker again.',
  ],
  'dynsec.open-to-others': ['Everybody on this machine can read the hashes of the passwords.', '`chmod 0600 FILE`.'],
  'dynsec.passwords-unreadable': [
    'Some passwords are in a form that is not read here; those clients cannot log in.',
    'Set them anew; $7$ and $argon2id$ are read.',
  ],
  'dynsec.first-start': [
    'There was no file of users and roles, so one was made, with first passwords.',
    'Keep them in a safe place and delete the file that holds them.',
  ],
  'enrolment.no-ca': ['Devices may enrol, and there is no CA to give them certificates.', '`zancudo ca init`.'],
  'enrolment.issued': ['A device was given a certificate or fetched its kit.', ''],
  'enrolment.refused': [
    'A device asked for a certificate and was refused; the line says why.',
    'Invite it anew if its token is used or too old.',
  ],
  'enrolment.bad-range': ['An address range of an invitation cannot be read.', 'Write 192.168.1.0/24 or an address.'],
  'enrolment.bad-time': ['The time an invitation is to last cannot be read.', 'Write 30m, 12h or 7d.'],
  'enrolment.too-many-invites': [
    'There are as many open invitations as there can be.',
    'Withdraw some, or wait until they end.',
  ],

  'bridge.connecting': ['A bridge connects to the other broker.', ''],
  'bridge.connected': ['A bridge is connected.', ''],
  'bridge.back-off': ['When the bridge tries again.', ''],
  'bridge.idle': ['A lazy bridge had nothing to carry and was disconnected.', ''],
  'bridge.back-to-first': ['The first address of the bridge answers again.', ''],
  'bridge.failing': [
    'The bridge could not connect, or lost its connection; said when the cause is a new one.',
    'The line says what is wrong, those below it what to do. `zancudo bridges` shows all.',
  ],
  'bridge.remote-refuses': [
    'The other broker does not take retained messages or this QoS; the bridge goes on without.',
    'Change the other broker if they are needed.',
  ],
  'bridge.remote-too-old': [
    'The other broker does not speak MQTT 5; the bridge goes on with 3.1.1.',
    'Write bridge_protocol_version mqttv311 to spare it the attempt.',
  ],
  'bridge.remark': [
    'The other broker refused a subscription or messages of the bridge.',
    'Look at the access rules there; `zancudo bridges` counts what is held back.',
  ],
  'bridge.ended': ['The end of the bridge in this broker was closed.', 'It connects again by itself.'],
  'bridge.fault': ['A mistake of the broker in a bridge.', 'Please report it; the bridge connects again.'],
  'bridge.insecure': [
    'bridge_insecure true: the bridge does not look whose certificate it is shown.',
    'Take it out, and let the certificate hold the name the bridge connects to.',
  ],
  'bridge.psk': [
    'bridge_psk or bridge_identity cannot be used.',
    'The key is hexadecimal, and both options are needed.',
  ],
  'bridge.refused-here': [
    "The bridge's own end was refused by this broker.",
    'Look at local_username and the access rules.',
  ],
  'bridge.tls-version': ['bridge_tls_version names a version that is not known.', 'Write tlsv1.2 or tlsv1.3.'],
} satisfies Chapter;
