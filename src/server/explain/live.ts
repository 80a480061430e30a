/** The questions of `zancudo explain` as they come over the operators' socket. */
import type { AccessChange, ExplainReport, PlannedFile } from '../../admin/mod.ts';
import { viewOf } from '../../broker/mod.ts';
import type { Identity } from '../../broker/ports.ts';
import type { RunningBroker } from '../assemble.ts';
import { changesOfUses, planOf } from './changes.ts';
import { explainedActions, explainIdentity, explainSomeone, type Question, someoneFrom } from './report.ts';

/** A text says what is wrong with the question. */
export async function explainLive(running: RunningBroker, query: URLSearchParams): Promise<ExplainReport | string> {
  const [action = '', topic = ''] = [query.get('do') ?? '', query.get('topic') ?? ''];
  if (!Object.hasOwn(explainedActions, action) || topic === '') return 'do and topic say what is asked about';
  const [who, kind] = [query.get('who') ?? '', query.get('as')];
  const identity = kind === null || kind === 'client' ? viewOf(running.broker).identity(who) : null;
  if (identity !== null) return explainClient(running, identity, { action, topic });
  if (kind === 'client') return `no client '${who}' is connected, and no session of it is kept`;
  const { access, rules } = running;
  const listeners = rules.filter(({ protocol }) => protocol !== 'http_api');
  const someone = someoneFrom(access, listeners, query);
  return explainSomeone(access, listeners, someone, query.get('client-id'), { action, topic });
}

async function explainClient(
  { broker, access }: RunningBroker,
  who: Identity,
  question: Question,
): Promise<ExplainReport> {
  const report = await explainIdentity(access, who, question);
  const { action, topic } = question;
  if (action !== 'receive') return report;
  const topicName = who.listener.mountPoint + topic;
  const receives = viewOf(broker)
    .receivers(topicName)
    .some(({ clientId }) => clientId === who.clientId);
  if (!receives) report.notes.push('It is subscribed to nothing that this topic meets.');
  return report;
}

/** Measured on what clients have published, wanted and been refused; a text says why not. */
export function accessChanges(
  { access, broker }: RunningBroker,
  { name, lines, insteadOf }: PlannedFile,
): Iterable<AccessChange | null> | string {
  const plan = planOf(access, name, lines, insteadOf);
  return typeof plan === 'string' ? plan : changesOfUses(plan, viewOf(broker).seen());
}
