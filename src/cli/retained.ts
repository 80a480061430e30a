/** The command `retained`: what is kept for those who subscribe later; purged with a way back. */
import fs from 'node:fs';
import { createInterface } from 'node:readline';
import type { OperatorsClient, PurgeReport, RestoreReport, RetainedCopy, RetainedFacts } from '../admin/mod.ts';
import { type Call, pageOf, type Subcommand, UsageError } from './ca/subcommand.ts';
import type { CommandPage } from './command-page.ts';
import type { Context } from './context.ts';
import { brokerOptions, operatorExitCodes, runOperatorCommand, withBroker } from './operate/ask-broker.ts';
import { type Column, jsonLinesOption, listOptions, pathTo, pathWith, printList } from './operate/lists.ts';
import { bytesText, shown, spanText } from './operate/words.ts';

const columnsAt = (now: number): readonly Column<RetainedFacts>[] => [
  { title: 'TOPIC', cell: each => each.topicName },
  { title: 'SIZE', cell: each => bytesText(each.bytes) },
  { title: 'QOS', cell: each => each.qos },
  { title: 'EXPIRES', cell: each => (each.expiresAt === 0 ? 'never' : `in ${spanText(Math.max(0, each.expiresAt - now / 1000))}`) },
  { title: 'FROM', cell: each => each.publisher ?? '-' },
  { title: 'PAYLOAD', cell: each => each.preview ?? '(binary)' },
]; // prettier-ignore

const undoOption = {
  long: '--undo',
  argument: 'FILE',
  completes: 'file' as const,
  says: 'Where the copies go: retained-undo-TIME.jsonl in this folder unless this says otherwise.',
};

const rows: readonly Subcommand[] = [
  {
    name: 'list',
    operands: '[PATTERN]',
    atLeast: 0,
    atMost: 1,
    options: listOptions,
    says: "Retained messages. PATTERN is an MQTT filter (home/#) or has * for any characters; $SYS is left out unless it begins with $. Without a word behind it the command lists.",
    run: call => withBroker(call, broker => list(call, broker)),
  },
  {
    name: 'show',
    operands: 'TOPIC',
    atLeast: 1,
    atMost: 1,
    options: [jsonLinesOption, ...brokerOptions],
    says: 'The payload, as it is; with --json everything about the message.',
    run: call => withBroker(call, broker => show(call, broker)),
  },
  {
    name: 'purge',
    operands: 'PATTERN',
    atLeast: 1,
    atMost: 1,
    options: [undoOption, { long: '--dry-run', says: 'Only say how many.' }, ...brokerOptions],
    says: 'Remove them from the broker that runs. Copies are on the disk before the first one goes; who is subscribed hears nothing.',
    run: call => withBroker(call, broker => purge(call, broker)),
  },
  {
    name: 'restore',
    operands: 'FILE',
    atLeast: 1,
    atMost: 1,
    options: brokerOptions,
    says: 'Put back what a purge has removed. A topic that has a message again keeps it.',
    run: call => withBroker(call, broker => restore(call, broker)),
  },
]; // prettier-ignore

export const retainedPage: CommandPage = {
  ...pageOf({ command: 'retained', summary: 'retained messages: look, purge, put back', about: [] }, rows),
  usage: ['[PATTERN] [OPTION...]', 'show TOPIC', 'purge PATTERN [--undo FILE]', 'restore FILE'],
  exitCodes: operatorExitCodes,
};

export function run(args: readonly string[], context: Context): Promise<number> {
  return runOperatorCommand(retainedPage, rows, args, context);
}

function list(call: Call, broker: OperatorsClient): Promise<number> {
  return printList<RetainedFacts>(call, broker, {
    path: '/v1/retained',
    query: { match: call.words[0] ?? null },
    columns: columnsAt(call.context.wall()),
    nothing: 'Nothing is retained on such topics.',
  });
}

async function show(call: Call, broker: OperatorsClient): Promise<number> {
  const message = await broker.get<RetainedFacts & RetainedCopy>(pathTo('/v1/retained', call.words[0]!));
  if (call.has('--json')) call.say(JSON.stringify(message));
  else process.stdout.write(Buffer.from(message.payloadBase64, 'base64'));
  return 0;
}

async function purge(call: Call, broker: OperatorsClient): Promise<number> {
  const copies = broker.list<RetainedCopy>(pathWith('/v1/retained', { match: call.words[0]!, payload: '1' }));
  if (call.has('--dry-run')) return countOnly(call, copies);
  const file = call.value('--undo') ?? `retained-undo-${stamp(call.context.wall())}.jsonl`;
  const orders = await saveCopies(file, copies);
  if (orders.length === 0) {
    fs.unlinkSync(file);
    call.say('Nothing is retained on such topics.');
    return 0;
  }
  const { purged, changed } = await broker.post<PurgeReport>('/v1/retained/purge', orders);
  call.say(`${counted(purged, 'retained message')} removed.`, `  Put back: zancudo retained restore ${file}`);
  for (const topic of changed) call.say(`  ${shown(topic)} has changed meanwhile and stays.`);
  return 0;
}

async function countOnly(call: Call, copies: AsyncIterable<RetainedCopy>): Promise<number> {
  let [count, bytes] = [0, 0];
  for await (const { payloadBase64 } of copies) {
    count++;
    bytes += Buffer.byteLength(payloadBase64, 'base64');
  }
  call.say(`${count} retained messages with ${bytesText(bytes)} would go.`);
  return 0;
}

/** On the disk, for its owner alone, before anything is removed. Returns what is to be ordered, line by line. */
async function saveCopies(file: string, copies: AsyncIterable<RetainedCopy>): Promise<string[]> {
  const out = openNew(file);
  const orders: string[] = [];
  try {
    for await (const copy of copies) {
      fs.writeSync(out, `${JSON.stringify(copy)}\n`);
      orders.push(`${JSON.stringify({ topicName: copy.topicName, digest: copy.digest })}\n`);
    }
    fs.fsyncSync(out);
  } catch (error) {
    fs.unlinkSync(file);
    throw error;
  } finally {
    fs.closeSync(out);
  }
  return orders;
}

function openNew(file: string): number {
  try {
    return fs.openSync(file, 'wx', 0o600);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') throw new UsageError(`${file} is there already; --undo names another file.`);
    throw new UsageError(`${file} cannot be written (${code}); --undo names another file.`);
  }
}

async function restore(call: Call, broker: OperatorsClient): Promise<number> {
  const file = call.words[0]!;
  if (!fs.existsSync(file)) throw new UsageError(`there is no file ${file}.`);
  const { restored, kept } = await broker.post<RestoreReport>('/v1/retained/restore', linesOf(file));
  call.say(`${counted(restored, 'retained message')} put back.`);
  for (const topic of kept) call.say(`  ${shown(topic)} has a newer one, or its message has expired.`);
  return 0;
}

async function* linesOf(file: string): AsyncGenerator<string> {
  for await (const line of createInterface({ input: fs.createReadStream(file) })) yield `${line}\n`;
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? ' was' : 's were'}`;

function stamp(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replaceAll(':', '').replace('T', '-');
}
