/** `zancudo explain --diff new.acl`. */
import fs from 'node:fs';
import type { AccessChange, OperatorsClient } from '../../admin/mod.ts';
import { type Call, UsageError } from '../ca/subcommand.ts';
import { textTable } from '../ca/table.ts';
import { pathWith } from '../operate/lists.ts';
import { shown } from '../operate/words.ts';
import { ask, configurationOf, failed } from './broker-or-files.ts';

/** More lines than this nobody reads; with --json there are all. */
const ROWS_MAX = 1000;

export function tellDiff(call: Call): Promise<number> {
  const lines = linesOf(call.value('--diff')!);
  return ask(
    call,
    broker => fromBroker(call, broker, lines),
    () => fromFiles(call, lines),
  );
}

function linesOf(file: string): string[] {
  try {
    return fs.readFileSync(file, 'utf8').split('\n');
  } catch (error) {
    throw new UsageError(`${file} cannot be read (${(error as NodeJS.ErrnoException).code}).`);
  }
}

async function fromBroker(call: Call, broker: OperatorsClient, lines: readonly string[]): Promise<number> {
  const path = pathWith('/v1/explain/diff', { name: call.value('--diff'), 'instead-of': call.value('--instead-of') });
  const changes: AccessChange[] = [];
  for await (const change of broker.listFor<AccessChange>(path, lines.map(line => `${JSON.stringify(line)}\n`))) {
    changes.push(change);
  }
  return tell(call, changes, 'of what clients do on this broker, as far as it remembers');
} // prettier-ignore

async function fromFiles(call: Call, lines: readonly string[]): Promise<number> {
  const { accessFromFiles, changesByRules, planOf } = await import('../../server/explain/mod.ts');
  const { file, home } = configurationOf(call);
  const read = await accessFromFiles(file, home);
  if (!read.ok) return failed(call, read.lines);
  try {
    const plan = planOf(read.access, call.value('--diff')!, lines, call.value('--instead-of'));
    if (typeof plan === 'string') return failed(call, [`Error: ${plan}`]);
    return tell(call, await changesByRules(plan, read.listeners), 'by the rules of the two files');
  } finally {
    await read.close();
  }
}

function tell(call: Call, changes: readonly AccessChange[], measured: string): number {
  if (call.has('--json')) for (const change of changes) call.say(JSON.stringify(change));
  else if (changes.length === 0) call.say(`Nothing changes ${measured}.`);
  else {
    const rows = changes.slice(0, ROWS_MAX).map(({ who, change, action, topic, because }) => {
      return [shown(who), change, action, shown(topic), shown(because)];
    });
    call.say(...textTable(['WHO', '', 'WHAT', 'TOPIC', 'BY THE NEW RULES'], rows));
    if (changes.length > ROWS_MAX) call.say('', `There are ${changes.length}; --json gives all.`);
  }
  return changes.length === 0 ? 0 : 1;
}
