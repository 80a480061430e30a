/** The command `trace`: the packets of one client, as they pass. */
import type { ClientFacts, OperatorsClient, TraceLine } from '../admin/mod.ts';
import { type Call, pageOf, type Subcommand, UsageError } from './ca/subcommand.ts';
import type { CommandPage } from './command-page.ts';
import type { Context } from './context.ts';
import { brokerOptions, operatorExitCodes, runOperatorCommand, withBroker } from './operate/ask-broker.ts';
import { pathTo, pathWith } from './operate/lists.ts';
import { shown, spanText } from './operate/words.ts';

const rows: readonly Subcommand[] = [
  {
    name: 'trace',
    operands: 'CLIENT',
    atLeast: 1,
    atMost: 1,
    options: [
      { long: '--for', argument: 'TIME', says: 'How long: 90s, 10m, 2h; 10 minutes unless given, a day at most.' },
      { long: '--payload', says: 'With payloads, the first 500 bytes of each.' },
      { long: '--record', says: "Do not wait: the packets go into the flight recorder, and 'zancudo what happened to CLIENT' tells them." },
      { long: '--json', says: 'One JSON object a line.' },
      ...brokerOptions,
    ],
    says: 'Follow CLIENT, which need not be connected yet.',
    run: call => withBroker(call, broker => trace(call, broker)),
  },
]; // prettier-ignore

export const tracePage: CommandPage = {
  ...pageOf(
    {
      command: 'trace',
      summary: 'follows the packets of one client, live',
      about: [
        'CLIENT is a client identifier. The lines are those of the debug log, of this client alone; other clients go on undisturbed. It ends by itself.',
      ],
    },
    rows,
  ),
  usage: ['CLIENT [--for TIME] [--payload] [--record] [OPTION...]'],
  exitCodes: operatorExitCodes,
};

export function run(args: readonly string[], context: Context): Promise<number> {
  return args.length === 0
    ? runOperatorCommand(tracePage, rows, ['--help'], context)
    : runOperatorCommand(tracePage, rows, args, context);
}

async function trace(call: Call, broker: OperatorsClient): Promise<number> {
  const client = call.words[0]!;
  const seconds = secondsOf(call.value('--for') ?? '10m');
  const query = { seconds: String(seconds), payload: call.has('--payload') ? '1' : null };
  const path = pathWith(pathTo('/v1/trace', client), query);
  if (call.has('--record')) {
    await broker.post(path, []);
    call.say(
      `The packets of ${shown(client)} are recorded for ${spanText(seconds)}: zancudo what happened to ${shown(client)}`,
    );
    return 0;
  }
  const isAwaited = !call.has('--json') && !(await isConnected(broker, client));
  // Said once the broker follows: whoever connects the client then sees its CONNACK.
  const opened = (): void => {
    if (isAwaited) call.warn(`${shown(client)} is not connected; waiting for it.`);
  };
  for await (const line of broker.list<TraceLine>(path, opened)) tell(call, line);
  return 0;
}

async function isConnected(broker: OperatorsClient, client: string): Promise<boolean> {
  const { AskError } = await import('../admin/mod.ts');
  try {
    await broker.get<ClientFacts>(pathTo('/v1/clients', client));
    return true;
  } catch (error) {
    if (error instanceof AskError && error.status === 404) return false;
    throw error;
  }
}

function tell(call: Call, line: TraceLine): void {
  if (call.has('--json')) return call.say(JSON.stringify(line));
  const { at, text, payload, payloadHex, missed } = line;
  if (missed !== undefined) call.say(`... ${missed} lines came faster than they could be shown`);
  call.say(`${clockText(at)} ${shown(text)}`);
  if (payload !== undefined) call.say(`             ${shown(payload)}`);
  if (payloadHex !== undefined) call.say(`             ${payloadHex} (hexadecimal)`);
}

/** To the millisecond, in the time of this machine. */
function clockText(at: number): string {
  const d = new Date(at);
  const two = (n: number): string => String(n).padStart(2, '0');
  return `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}.${String(d.getMilliseconds()).padStart(3, '0')}`;
}

const units: Readonly<Record<string, number>> = { s: 1, m: 60, min: 60, h: 3600 };

function secondsOf(text: string): number {
  const [, amount, unit] = /^([1-9]\d{0,4})(s|min|m|h)$/.exec(text) ?? [];
  const seconds = Number(amount) * (units[unit ?? ''] ?? Number.NaN);
  if (seconds <= 86_400) return seconds;
  throw new UsageError(`--for takes a time of up to a day, such as 90s, 10m or 2h, not '${text}'.`);
}
