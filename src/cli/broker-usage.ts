/** What -h and --version print, made from the tables. */
import { productVersion } from '../server/process/mod.ts';
import { brokerOptions, type BrokerOption } from './broker-options.ts';

export function brokerUsage(calledAs: string): string {
  return `zancudo version ${productVersion()}

zancudo is an MQTT v5.0/v3.1.1/v3.1 broker.

Usage: ${calledAs} [-c config_file] [-d] [-h] [-p port] [-q] [-v]
       ${calledAs} [--home dir] [--test-config] [--tls-keylog file] [--version]

Without -c and -p the broker runs from its secure home: TLS only, with a certificate authority and a first user of its
own, all made at the first start. With -c it takes the place of Mosquitto.

${brokerOptions.map(optionLines).join('')}`;
}

const column = 28;
const textWidth = 92;

function optionLines(option: BrokerOption): string {
  const names = `${option.short === undefined ? '    ' : `${option.short}, `}${option.long}`;
  const head = ` ${names}${option.argument === undefined ? '' : ` ${option.argument}`}`;
  return wrap(option.says)
    .map((line, at) => `${(at === 0 ? head : '').padEnd(column)}${line}\n`)
    .join('');
}

function wrap(text: string): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const last = lines.length - 1;
    const longer = lines[last] === '' ? word : `${lines[last]} ${word}`;
    if (longer.length > textWidth) lines.push(word);
    else lines[last] = longer;
  }
  return lines;
}

export function versionText(): string {
  return `zancudo ${productVersion()}
Copyright the Zancudo authors.
Licence: Apache-2.0 <https://www.apache.org/licenses/LICENSE-2.0>
`;
}
