/** The command `explain`: why somebody may or may not, what was refused of late, and what a planned change would do. */
import { type Call, pageOf, runSubcommand, type Subcommand, UsageError } from './ca/subcommand.ts';
import type { CommandPage } from './command-page.ts';
import type { Context } from './context.ts';
import { brokerOptions } from './operate/ask-broker.ts';

const rows: readonly Subcommand[] = [
  {
    name: 'explain',
    operands: 'WHO publish|receive|subscribe|unsubscribe TOPIC',
    atLeast: 0,
    atMost: 3,
    options: [
      { long: '--as', argument: 'KIND', says: 'What WHO is, where it could be several things: client, user, device, certificate; anonymous with - for WHO.' },
      { long: '--client-id', argument: 'ID', says: 'With a user, device or certificate: the client identifier it comes with, for rules with %c. Its name unless given.' },
      { long: '--last', argument: 'CLIENT', says: 'What was refused to this client of late, logins too, and why. Only a broker that runs knows it.' },
      { long: '--diff', argument: 'FILE', completes: 'file', says: 'Who gains and who loses what if this access file takes the place of the present one: by what clients do on the broker that runs, or by the rules of both files where none runs.' },
      { long: '--instead-of', argument: 'FILE', completes: 'file', says: 'With --diff: the acl_file whose place it takes, where there are several.' },
      { long: '--files', says: 'Answer from the configuration and its files, whether a broker runs or not.' },
      { long: '--json', says: 'For machines; with --diff one JSON object a line.' },
      ...brokerOptions,
    ],
    says: 'Whether WHO may do that, and which rule of which file decides, with all that were tried in their order.',
    run,
  },
]; // prettier-ignore

async function run(call: Call): Promise<number> {
  const modes = [call.has('--last'), call.has('--diff'), call.words.length > 0].filter(Boolean).length;
  if (modes !== 1) throw new UsageError("give WHO, what it does and TOPIC, or --last CLIENT, or --diff FILE.");
  if (call.has('--last')) return (await import('./explain/last.ts')).tellLast(call);
  if (call.has('--diff')) return (await import('./explain/diff.ts')).tellDiff(call);
  return (await import('./explain/question.ts')).answer(call);
} // prettier-ignore

export const explainPage: CommandPage = {
  ...pageOf(
    {
      command: 'explain',
      summary: 'why somebody may or may not publish, receive or subscribe',
      about: [
        'WHO is the client identifier of a client that is connected or has a session, the name of a device or of a user, a file with a certificate, or - for somebody without a user name. The broker that runs is asked, by the rules that are in force; where none runs the answer comes from the configuration and its files.',
        'TOPIC is as the client writes it: a mount point is added.',
      ],
    },
    rows,
  ),
  usage: [
    '[OPTION...] WHO publish|receive|subscribe|unsubscribe TOPIC',
    '--last CLIENT',
    '--diff FILE [--instead-of FILE]',
  ],
  exitCodes: [
    { code: '0', when: 'It is allowed; with --diff: nothing changes.' },
    { code: '1', when: 'It is not allowed; with --diff: somebody gains or loses something.' },
    { code: '2', when: 'There is no answer; why was said.' },
  ],
};

async function runExplain(args: readonly string[], context: Context): Promise<number> {
  const long = args.map(word => (word === '-c' ? '--config-file' : word));
  const given = long.length === 0 ? [] : ['explain', ...long];
  return runSubcommand(explainPage, rows, given, context);
}

export { runExplain as run };
