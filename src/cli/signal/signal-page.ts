/** What `zancudo signal` takes. */
import type { CommandPage } from '../command-page.ts';

/** SIGRTMIN of glibc; Node knows no name for it. */
const SIGRTMIN = 34;

export const signals: readonly { name: string; signal: NodeJS.Signals | number; says: string }[] = [
  {
    name: 'config-reload',
    signal: 'SIGHUP',
    says: 'Read configuration, certificates, passwords and access rules again.',
  },
  { name: 'log-rotate', signal: 'SIGHUP', says: 'Reopen the log; to a broker the same as config-reload.' },
  { name: 'shutdown', signal: 'SIGINT', says: 'Stop: wills are sent, the state is saved, links are closed.' },
  { name: 'tree-print', signal: 'SIGUSR2', says: 'Print the subscription trees on the standard output of the broker.' },
  {
    name: 'xtreport',
    signal: SIGRTMIN,
    says: 'For debugging builds of Mosquitto; other brokers of Mosquitto reopen their log, Zancudo does nothing.',
  },
];

export const signalPage: CommandPage = {
  command: 'signal',
  tool: 'mosquitto_signal',
  summary: 'tells running brokers to reload, to stop and the like',
  usage: ['{-a | -p PID | --pid-file FILE | --port PORT} SIGNAL'],
  about: [
    'Only the user that a broker runs as, and root, can signal it. The broker acts on a signal by itself: what came of it stands in its log.',
  ],
  options: [
    { short: '-a', says: "Every broker of this machine: Zancudo's, and processes named mosquitto." },
    { short: '-p', argument: 'PID', says: 'The process of that number, whatever it is.' },
    {
      long: '--pid-file',
      argument: 'FILE',
      completes: 'file',
      ours: true,
      says: "The broker that wrote this file (option pid_file of its configuration). A file left behind by a broker that ended harms nobody: its number's new owner is not signalled.",
    },
    { long: '--port', argument: 'PORT', ours: true, says: 'The broker that listens on this TCP port of this machine.' },
    { long: '--help', says: 'Show this text.' },
  ],
  operands: signals.map(({ name, says }) => ({ name, says })),
  exitCodes: [
    { code: '0', when: 'Sent; with -a and -p also when a process could not be signalled, which standard error tells.' },
    { code: '1', when: 'A wrong argument, --help, or no broker found by --pid-file or --port.' },
  ],
};
