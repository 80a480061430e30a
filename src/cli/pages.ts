/** Every command's page: what help, man pages and completion are made from. */
import { exitCodeMeanings, exitCodes } from '../server/process/mod.ts';
import { aliasesPage } from './aliases.ts';
import { benchPage } from './bench/arguments.ts';
import { backupPage } from './backup.ts';
import { brokerOptions } from './broker-options.ts';
import { caPage } from './ca.ts';
import { clientPage } from './client/pages.ts';
import type { CommandPage, Completion, OptionRow } from './command-page.ts';
import { completionPage } from './completion/completion-page.ts';
import { ctrlPage } from './ctrl/ctrl-page.ts';
import { devicePage } from './device.ts';
import { doctorPage } from './doctor.ts';
import { enrollPage } from './enroll.ts';
import { exportPage } from './export.ts';
import { helpPage } from './help.ts';
import { importPage } from './import.ts';
import { passwdPage } from './passwd/passwd-page.ts';
import { probePage } from './probe.ts';
import { profilePage } from './profile.ts';
import { restorePage } from './restore.ts';
import { statusPage } from './status.ts';
import { clientsPage } from './clients.ts';
import { sessionsPage } from './sessions.ts';
import { topicsPage } from './topics.ts';
import { retainedPage } from './retained.ts';
import { dropsPage } from './drops.ts';
import { bridgesPage } from './bridges.ts';
import { bansPage } from './bans.ts';
import { explainPage } from './explain.ts';
import { tracePage } from './trace.ts';
import { reportPage } from './report.ts';
import { whatPage } from './what.ts';
import { quarantinePage } from './quarantine.ts';
import { reloadPage } from './reload.ts';
import { signalPage } from './signal/signal-page.ts';
import { usersPage } from './users.ts';

const completes: Record<string, Completion> = { FILE: 'file', DIR: 'folder' };

export const brokerCommandPage: CommandPage = {
  command: 'broker',
  tool: 'mosquitto',
  summary: 'runs the broker; so does zancudo without a command',
  usage: ['[-c FILE] [-d] [-h] [-p PORT] [-q] [-v]', '[--home DIR] [--test-config] [--tls-keylog FILE] [--version]'],
  about: [
    'Without -c and -p the broker runs from its secure home: TLS only, with a certificate authority and a first user of its own, all made at the first start. With -c it takes the place of Mosquitto.',
  ],
  options: brokerOptions.map(({ short, long, argument, ours, says }): OptionRow => {
    const completion = completes[argument ?? ''];
    return {
      ...(short === undefined ? {} : { short }),
      long,
      ...(argument === undefined ? {} : { argument }),
      ...(completion === undefined ? {} : { completes: completion }),
      ...(ours === undefined ? {} : { ours }),
      says,
    };
  }),
  exitCodes: Object.entries(exitCodes).map(([name, code]) => ({
    code: String(code),
    when: exitCodeMeanings[name as keyof typeof exitCodes],
  })),
};

export const pages: readonly CommandPage[] = [
  brokerCommandPage,
  clientPage('pub'),
  clientPage('sub'),
  clientPage('rr'),
  profilePage,
  aliasesPage,
  passwdPage,
  usersPage,
  caPage,
  devicePage,
  enrollPage,
  doctorPage,
  probePage,
  benchPage,
  importPage,
  exportPage,
  backupPage,
  restorePage,
  statusPage,
  clientsPage,
  sessionsPage,
  topicsPage,
  retainedPage,
  dropsPage,
  bridgesPage,
  bansPage,
  explainPage,
  helpPage,
  tracePage,
  whatPage,
  reportPage,
  quarantinePage,
  reloadPage,
  ctrlPage,
  signalPage,
  completionPage,
];

/** What `zancudo --help` says behind the options of the broker. */
export function commandList(): string {
  const rows = pages.map(page => `  ${page.command.padEnd(12)}${page.summary}\n`);
  return `\nCommands; 'zancudo COMMAND --help' says more:\n${rows.join('')}`;
}
