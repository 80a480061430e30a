/** What `zancudo ctrl` takes. */
import type { ChapterRow, CommandPage } from '../command-page.ts';
import { brokerModule } from './broker-commands.ts';
import { usageOf, type ControlModule } from './control-command.ts';
import { ctrlOptions } from './ctrl-options.ts';
import { dynsecModule } from './dynsec-commands.ts';

export const controlModules: readonly ControlModule[] = [dynsecModule, brokerModule];

const initRow = {
  usage: 'dynsec init <new-config-file> <admin-username> [admin-password]',
  says: 'Make the first file of the dynamic security plugin, with a client who may administer it. No broker is needed.',
};

/** The commands of a module by chapter, `init` in front. */
export function chaptersOf(module: ControlModule): ChapterRow[] {
  const titles = [...new Set(module.commands.map(row => row.chapter))];
  const chapters = titles.map(title => ({
    title,
    rows: module.commands
      .filter(row => row.chapter === title)
      .map(row => ({ usage: `${module.name} ${usageOf(row)}`, says: row.says })),
  }));
  return module === dynsecModule ? [{ title: 'Initialisation', rows: [initRow] }, ...chapters] : chapters;
}

export const ctrlPage: CommandPage = {
  command: 'ctrl',
  tool: 'mosquitto_ctrl',
  summary: 'administers a running broker through its $CONTROL topics',
  usage: ['[OPTION...] {dynsec | broker} COMMAND [ARGUMENT...]', '[OPTION...]', '{dynsec | broker} help'],
  about: [
    'Options come before the module. Without a module an interactive shell begins, with completion by Tab and a history; with -h, -L or --unix it connects at once.',
    'Names of commands are taken in any case. Without TLS everything goes over the network in the clear, new passwords too.',
  ],
  options: ctrlOptions.map(({ short, long, argument, completes, says }) => ({
    ...(short === undefined ? {} : { short }),
    ...(long === undefined ? {} : { long }),
    ...(argument === undefined ? {} : { argument }),
    ...(completes === undefined ? {} : { completes }),
    says,
  })),
  operands: [
    { name: 'dynsec', says: 'Clients, groups and roles of the dynamic security plugin.' },
    { name: 'broker', says: 'Plugins and listeners; the broker needs: enable_control_api true' },
  ],
  chapters: controlModules.flatMap(chaptersOf),
  exitCodes: [
    {
      code: '0',
      when: 'A reply came, an error among them; or none within 10 seconds; or the broker refused the login.',
    },
    { code: '1', when: 'A wrong option, or --help.' },
    { code: '3', when: 'Wrong arguments of a command.' },
    { code: '6', when: 'With -f: there is no such client in the file.' },
    { code: '7', when: 'The connection was lost.' },
    { code: '8', when: 'TLS failed.' },
    { code: '10', when: 'There is no such module.' },
    { code: '13', when: 'There is no such command.' },
    { code: '14', when: 'No connection: refused, unreachable.' },
    { code: '15', when: 'The name of the broker is not known.' },
    { code: '16', when: 'The proxy failed.' },
  ],
};
