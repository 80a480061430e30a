/** Pages: the broker as a whole, its configuration, its log, its listeners. */
import type { Chapter } from './page.ts';

export const brokerCodes = {
  'broker.starting': ['The process has read its configuration and begins to open what it names.', ''],
  'broker.feature': ['A part that this build has.', ''],
  'broker.running': ['All listeners are open: clients are served.', ''],
  'broker.terminating': ['The last line of the process.', ''],
  'broker.configuration': ['Which configuration file was read.', ''],
  'broker.reloading': ['SIGHUP, `zancudo reload` or a changed file in the home: the configuration is read again.', ''],
  'broker.reload-failed': [
    'What was read again could not be put in force, so nothing of it was; everybody stays connected.',
    'The lines above name the file and the cause. Mend it and reload again.',
  ],
  'broker.saved': ['SIGUSR1 was received.', ''],
  'broker.local-only': [
    'No configuration and no home: only this machine can connect, as in Mosquitto.',
    'Give it a configuration with a listener, or start zancudo without -p, which makes a broker with TLS and passwords.',
  ],
  'broker.cannot-start': [
    'A part that has to be there could not be opened; the process ends.',
    'The lines around it name the part and the cause.',
  ],
  'broker.no-such-user': [
    '`user` in the configuration names somebody whom this machine does not know.',
    'Make the user (`adduser --system --group NAME`), or write the name of one that exists.',
  ],
  'broker.pid-file': [
    'The file of `pid_file` cannot be written: no such folder, or no right to it.',
    'Make the folder and give it to the user the broker runs as, or leave pid_file out.',
  ],
  'broker.privileges': [
    'What was done, or not done, about running as root.',
    'Run the broker as a user of its own: `user mosquitto`, or User= in its systemd unit.',
  ],
  'broker.service-manager': [
    'systemd asked to be told when the broker is ready, and could not be.',
    'Look at NOTIFY_SOCKET and at `systemd-notify`; the broker serves all the same.',
  ],
  'broker.keylog': [
    'The secrets of every TLS connection are written to a file: whoever has it can read the traffic.',
    'For debugging only. Take --tls-keylog off the command line, and delete the file.',
  ],
  'broker.operators-socket': [
    'The socket that `zancudo status` and its like ask cannot be opened; clients are served all the same.',
    'Is another broker using the same home? Does the folder belong to the user the broker runs as? admin_socket names another place.',
  ],
  'broker.control': ['A client asked on $CONTROL/broker/v1.', ''],
  'broker.fault': [
    'A mistake of the broker itself. It costs the one connection or request it happened in; everything else goes on.',
    'Please report it with the line and its stack: `zancudo report` collects what is needed, without secrets.',
  ],
  'broker.certificate-ends': [
    'A certificate, a CA or a revocation list of this broker or of one of its devices ends soon, or has ended. Said 30, 14, 7 and 1 days before.',
    'Renew it, put it into its file and reload. What our own CA has issued renews itself; a device of its own accord with `zancudo enroll`.',
  ],

  'conf.invalid': [
    'The configuration cannot be used: the broker does not start, or goes on with the one before.',
    'The line names file, line and option, and what would be right. `zancudo doctor FILE` looks through the whole file.',
  ],
  'conf.remark': [
    'A line of the configuration may not do what its author meant; it names file and line.',
    'Mend the line; `zancudo doctor FILE --fix` mends most of them.',
  ],
  'conf.warning': [
    "Mosquitto's own words about a line of the configuration: an option that is old, deprecated or without effect.",
    'Take the option out, or use the one that the line names.',
  ],
  'conf.odd-blanks': [
    'A blank that looks like a space and is none, as word processors and web pages leave them.',
    'Replace it by a space; `zancudo doctor FILE --fix` does.',
  ],
  'conf.option-gone': ['The option does nothing here any more.', 'Take the line out.'],
  'conf.refused': [
    'The broker does not start with this configuration.',
    "Do what the finding says; it quotes the broker's own words.",
  ],
  'conf.tls-version-obsolete': [
    'The configuration asks for TLS 1.1 or older, which is broken.',
    'Write tls_version tlsv1.2, or leave it out.',
  ],

  'plugin.loading': [
    'A plugin line was read and is served by a part of the broker, or a plugin in JavaScript was loaded.',
    '',
  ],
  'plugin.says': ['A plugin wrote this line.', ''],
  'plugin.cannot-load': [
    'A plugin cannot be loaded: it is not there, it throws, or it is machine code made for Mosquitto.',
    'Correct the path; plugins in JavaScript are described in docs/guides/plugins.md.',
  ],
  'plugin.fault': [
    'A plugin threw, or did not answer in time; the line says what became of what it was asked.',
    'Mend the plugin; the line names hook, file and line.',
  ],
  'plugin.too-many-faults': [
    'A plugin failed more often in a minute than plugin_faults_max allows, and is treated as plugin_when_faulty says.',
    'Mend the plugin and reload.',
  ],

  'log.cannot-open': [
    'The file of `log_dest file` cannot be opened; its lines go to standard error.',
    'Make its folder and give it to the user the broker runs as. It is tried again with the next reload.',
  ],
  'log.cannot-write': [
    'A destination of the log takes no more lines: the disk is full, or nobody listens on /dev/log.',
    'Make room, or start a syslog daemon; lines are written again as soon as it works.',
  ],
  'log.lines-dropped': [
    'A reader of the log was so slow that lines had to be left out; the broker waits for no reader.',
    'Look at who reads standard output or syslog; write fewer classes (log_type), or to a file.',
  ],

  'listener.opening': ['A port is being opened.', ''],
  'listener.cannot-open': [
    'A port or its certificates cannot be opened; the broker does not start.',
    'Is another broker running on the port (`ss -ltnp`)? Ports under 1024 need a right. Files: the lines below name what is wrong with them.',
  ],
  'listener.remark': [
    "Something about a listener's files or address works, and not as was probably meant.",
    'Do what the line says.',
  ],
  'listener.sockets-used-up': [
    'The process may not open more sockets; newcomers wait.',
    'Raise the limit: LimitNOFILE= in the systemd unit, or `ulimit -n`; or lower max_connections.',
  ],
  'listener.certificate-reload': [
    'The new certificate or key could not be loaded; the old one stays in force.',
    'The lines around it say what is wrong with the files. Mend them and reload again.',
  ],
  'listener.certificate-kept': [
    'After a failed reload the listeners go on with the certificates, CAs and revocation lists they had.',
    'See listener.certificate-reload.',
  ],
  'listener.websocket-only': [
    'A client spoke plain MQTT to a port for MQTT over WebSocket.',
    'Connect to a listener with protocol mqtt, or by ws:// or wss://.',
  ],
  'listener.clear-text': [
    'A listener that can be reached from the network has no TLS: names, passwords and messages can be read on the way.',
    'Give it certfile and keyfile, or bind it to 127.0.0.1.',
  ],
  'listener.local-only': [
    'Nothing but this machine can reach the broker.',
    'Add a listener line with the port, and who may connect.',
  ],

  'recorder.trouble': [
    'The flight recorder cannot write its files; what happens is remembered in memory alone.',
    'Make room, or give the folder of flight_recorder_location to the user the broker runs as.',
  ],
  'recorder.remark': ['What became of the files of the flight recorder.', ''],
  'otel.started': ['Traces of some messages are sent to an OpenTelemetry collector.', ''],
  'otel.cannot-start': [
    'Traces of messages were asked for and cannot be sent; the broker runs without.',
    'Look at otel_endpoint, otel_headers_file and otel_cafile.',
  ],
  'otel.collector-silent': [
    'The OpenTelemetry collector does not take traces; they are dropped, and messages are not held up.',
    'Is otel_endpoint right, and the collector running?',
  ],
  'otel.collector-back': ['The OpenTelemetry collector takes traces again.', ''],

  'http.directory': ['Files of this folder are served over HTTP.', ''],
  'http.clear-text': [
    'The HTTP interface can be reached from the network without TLS.',
    'Give the listener certfile and keyfile, or bind it to 127.0.0.1.',
  ],
  'http.refused': [
    'An HTTP request had no name and password that are known here, or the access rules give it nothing.',
    'Give it a user of the broker, and read access to the path it asks for.',
  ],
  'http.closed': [
    'Too many HTTP requests at once, from this address or from all together.',
    'Whoever polls should poll less often.',
  ],
} satisfies Chapter;
