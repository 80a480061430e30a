/** The command `probe`: would that device connect to this broker? */
import fs from 'node:fs';
import { jsonOption } from './ca/options.ts';
import { pageOf, runSubcommand, UsageError, type Call, type Subcommand } from './ca/subcommand.ts';
import type { CommandPage } from './command-page.ts';
import type { Context } from './context.ts';
import { nearestName } from './nearest-name.ts';
import { devices, type Device } from './probe/devices.ts';
import { peerOf } from './probe/handshake.ts';
import { probe, survey, type Question, type Verdict } from './probe/probe.ts';
import { trustedBy } from './probe/trusted.ts';

const names = devices.map(device => device.name);

const command: Subcommand = {
  name: 'probe',
  operands: 'HOST:PORT',
  atLeast: 1,
  atMost: 1,
  options: [
    { long: '--as', argument: 'DEVICE', completes: names, many: true, says: `One of ${names.join(', ')}; all of them unless given.` },
    { long: '--cafile', argument: 'FILE', completes: 'file', says: 'The CA that the device is given; that of the home here, else those of this machine.' },
    { long: '--cert', argument: 'FILE', completes: 'file', says: 'The certificate that the device shows.' },
    { long: '--key', argument: 'FILE', completes: 'file', says: 'Its key.' },
    jsonOption,
  ],
  says: 'Shake hands with a broker as that device would.',
  run: examine,
}; // prettier-ignore

export const probePage: CommandPage = {
  command: 'probe',
  summary: 'tells whether a device could connect to a broker, and if not, why',
  usage: ['[--as DEVICE] HOST:PORT [--cafile FILE] [--cert FILE --key FILE] [--json]'],
  about: [
    'Makes a real handshake within the limits of the device: versions, suites, curves, kinds and sizes of keys, rules for names and dates. HOST is what the device would be told: its rules for names and for addresses differ.',
  ],
  options: pageOf({ command: 'probe', summary: '', about: [] }, [command]).options,
  chapters: [{ title: 'Devices', rows: devices.map(({ name, says }) => ({ usage: name, says })) }],
  exitCodes: [
    { code: '0', when: 'Every device that was asked for would connect.' },
    { code: '1', when: 'One would not; why and what to do was said.' },
    { code: '2', when: 'The command line cannot be understood.' },
  ],
};

export function run(args: readonly string[], context: Context): Promise<number> {
  return runSubcommand(probePage, [command], ['probe', ...args], context);
}

async function examine(call: Call): Promise<number> {
  const chosen = chosenDevices(call);
  const question = questionOf(call);
  const server = await survey(question);
  const verdicts: Verdict[] = [];
  for (const device of chosen) verdicts.push(await probe(device, question, server));
  if (call.has('--json')) call.say(JSON.stringify(verdicts.map(forMachines), null, 2));
  else call.say(`As if given ${question.trusted.what}:`, '', ...verdicts.flatMap(verdictLines));
  return verdicts.every(({ reasons }) => reasons.length === 0) ? 0 : 1;
}

function chosenDevices(call: Call): Device[] {
  const wanted = call.values('--as');
  if (wanted.length === 0) return [...devices];
  return wanted.map(name => {
    const device = devices.find(each => each.name === name);
    if (device) return device;
    const meant = nearestName(name, names);
    throw new UsageError(`no device '${name}' is known.${meant === null ? ` There are ${names.join(', ')}.` : ` Did you mean '${meant}'?`}`); // prettier-ignore
  });
}

function questionOf(call: Call): Question {
  const [place = ''] = call.words;
  const peer = peerOf(place);
  if (peer === null) throw new UsageError(`'${place}' is not HOST:PORT.`);
  const [cert, key] = [call.value('--cert'), call.value('--key')];
  if ((cert === null) !== (key === null)) throw new UsageError('--cert and --key go together.');
  const read = (file: string): string => fs.readFileSync(file, 'utf8');
  const identity = cert === null || key === null ? null : { cert: read(cert), key: read(key) };
  return { peer, identity, trusted: trustedBy(call.value('--cafile'), call.home.folder), now: call.context.wall() };
}

const column = 13;

function verdictLines({ device, version, cipher, reasons, notes }: Verdict): string[] {
  const head = device.padEnd(column);
  const more = ' '.repeat(column + 6);
  if (reasons.length === 0) return [`${head}PASS  ${version}, ${cipher}`, ...notes.map(note => `${more}${note}`)];
  return [
    `${head}FAIL  ${reasons[0]?.saw}`,
    ...reasons.flatMap(({ saw, remedy }, at) => [
      ...(at === 0 ? [] : [`${more}${saw}`]),
      ...remedy.map(each => `${more}> ${each}`),
    ]),
  ];
}

function forMachines({ reasons, ...rest }: Verdict): object {
  return { ...rest, passes: reasons.length === 0, reasons };
}
