/** `zancudo explain --last CLIENT`. */
import type { OperatorsClient, RefusalFacts, RefusalsReport } from '../../admin/mod.ts';
import type { Call } from '../ca/subcommand.ts';
import { textTable } from '../ca/table.ts';
import { pathTo } from '../operate/lists.ts';
import { shown, spanText } from '../operate/words.ts';
import { ask } from './broker-or-files.ts';

export function tellLast(call: Call): Promise<number> {
  return ask(call, broker => tell(call, broker), null);
}

async function tell(call: Call, broker: OperatorsClient): Promise<number> {
  const clientId = call.value('--last')!;
  const report = await broker.get<RefusalsReport>(pathTo('/v1/refusals', clientId));
  if (call.has('--json')) call.say(JSON.stringify(report, null, 2));
  else if (report.refusals.length === 0) call.say(`Nothing was refused to ${shown(clientId)} of late.`);
  else call.say(...textTable(['WHAT', 'TOPIC', 'TIMES', 'LAST', 'WHY'], report.refusals.map(each => cells(each, call.context.wall())))); // prettier-ignore
  return 0;
}

function cells({ action, topic, because, count, lastAt }: RefusalFacts, now: number): string[] {
  const ago = `${spanText(Math.max(0, now / 1000 - lastAt))} ago`;
  const why = because ?? 'too much was refused in that second to look it up';
  // A delivery is asked about once and then known; how many messages it was is in zancudo drops.
  const times = action === 'receive' ? '-' : String(count);
  return [action, topic === '' ? '-' : shown(topic), times, ago, shown(why)];
}
