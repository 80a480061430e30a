/** What can be said about `pub`, `sub` and `rr`: help, version, and the pages that documents are made from. */
import { productVersion } from '../../server/process/mod.ts';
import type { CommandPage } from '../command-page.ts';
import { helpText } from '../help-text.ts';
import type { Tool } from './draft.ts';
import { optionsOf } from './options.ts';

const exitCodes = [
  { code: '0', when: 'Done.' },
  { code: '1', when: 'Wrong arguments, or no connection: name, port, TLS. --help and --version end with 1 as well.' },
  { code: '1-5', when: 'MQTT 3: the broker refused the connection with this code.' },
  { code: '7', when: 'The connection was lost.' },
  { code: '27', when: 'The time of -W was over.' },
  { code: '128-', when: 'MQTT 5: the broker refused the connection with this reason code.' },
];

const where = '[-h HOST] [-p PORT] [-u USER] [-P PASSWORD] [--cafile FILE]';
const profileText =
  'On the machine where Zancudo runs, no option is needed to say where the broker is: the profile that the first start wrote says it. Others are kept by: zancudo profile add NAME';
const filesText =
  'Options that are always the same may stand in ~/.config/mosquitto_TOOL, one per line, with pub, sub or rr for TOOL.';

const texts: Record<Tool, Pick<CommandPage, 'summary' | 'usage' | 'about'>> = {
  pub: {
    summary: 'publishes messages',
    usage: [`${where} -t TOPIC {-m TEXT | -f FILE | -l | -n | -s}`, '-L URL {-m TEXT | -f FILE | -l | -n | -s}'],
    about: [profileText, filesText],
  },
  sub: {
    summary: 'subscribes to topics and prints the messages',
    usage: [`${where} -t FILTER ... [-v | -F FORMAT]`, '-L URL [-t FILTER ...]'],
    about: [profileText, filesText],
  },
  rr: {
    summary: 'publishes a request and prints the response',
    usage: [`${where} -t TOPIC -e TOPIC {-m TEXT | -f FILE | -n | -s}`],
    about: [profileText, filesText],
  },
};

export function clientPage(tool: Tool): CommandPage {
  return { command: tool, tool: `mosquitto_${tool}`, ...texts[tool], options: optionsOf(tool), exitCodes };
}

export function clientHelp(tool: Tool, programName: string): string {
  return helpText(clientPage(tool), programName);
}

export function clientVersion(programName: string): string {
  const version = productVersion();
  return `${programName} version ${version} running on zancudo ${version}.\n`;
}
