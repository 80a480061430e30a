/** `zancudo explain WHO publish TOPIC`. */
import { X509Certificate } from 'node:crypto';
import fs from 'node:fs';
import type { ExplainedAnswer, ExplainReport, RuleTried } from '../../admin/mod.ts';
import { type Call, UsageError } from '../ca/subcommand.ts';
import { plainTable } from '../ca/table.ts';
import { nearestName } from '../nearest-name.ts';
import { shown } from '../operate/words.ts';
import { ask, configurationOf, failed } from './broker-or-files.ts';

const verbs: Readonly<Record<string, string>> = {
  publish: 'publish to',
  receive: 'receive',
  subscribe: 'subscribe to',
  unsubscribe: 'unsubscribe from',
};

const kinds = ['client', 'user', 'device', 'certificate', 'anonymous'];

export function answer(call: Call): Promise<number> {
  const query = questionOf(call);
  return ask(
    call,
    async broker => tell(call, await broker.get<ExplainReport>(`/v1/explain?${query.toString()}`)),
    () => fromFiles(call, query),
  );
}

function questionOf(call: Call): URLSearchParams {
  const [who = '', action = '', topic] = call.words;
  if (!Object.hasOwn(verbs, action)) {
    const meant = nearestName(action, Object.keys(verbs));
    const guess = meant === null ? '' : ` Did you mean ${meant}?`;
    throw new UsageError(`'${action}' is none of publish, receive, subscribe and unsubscribe.${guess}`);
  }
  if (topic === undefined || topic === '') throw new UsageError(`what does ${who} ${action}? TOPIC is missing.`);
  const oneTopic = action === 'publish' || action === 'receive';
  if (oneTopic && /[+#]/.test(topic))
    throw new UsageError(`to ${action} takes the name of one topic, without + and #.`);
  const query = new URLSearchParams({ do: action, topic, who });
  for (const [key, value] of Object.entries(whoIs(call, who))) query.set(key, value);
  const clientId = call.value('--client-id');
  if (clientId !== null) query.set('client-id', clientId);
  return query;
}

function whoIs(call: Call, who: string): Record<string, string> {
  const kind = call.value('--as');
  if (kind !== null && !kinds.includes(kind)) throw new UsageError(`--as takes one of ${kinds.join(', ')}.`);
  if (kind === 'anonymous' || (kind === null && who === '-')) return { as: 'anonymous' };
  const certificate = kind === null || kind === 'certificate' ? certificateIn(who) : null;
  if (kind === 'certificate' && certificate === null)
    throw new UsageError(`${who} is no file with a certificate (PEM).`);
  if (certificate !== null) return certificate;
  return kind === null ? {} : { as: kind };
}

function certificateIn(file: string): Record<string, string> | null {
  try {
    const { subject, fingerprint256 } = new X509Certificate(fs.readFileSync(file));
    const commonName = /^CN=(.*)$/m.exec(subject)?.[1];
    const text = subject.split('\n').reverse().join(',');
    return { as: 'certificate', fingerprint: fingerprint256, subject: text, ...(commonName === undefined ? {} : { cn: commonName }) }; // prettier-ignore
  } catch {
    return null;
  }
}

async function fromFiles(call: Call, query: URLSearchParams): Promise<number> {
  const { accessFromFiles, explainSomeone, someoneFrom } = await import('../../server/explain/mod.ts');
  if (query.get('as') === 'client') {
    return failed(call, [
      'Error: Which clients there are, only a broker that runs knows; name a user, or --as device.',
    ]);
  }
  const { file, home } = configurationOf(call);
  const read = await accessFromFiles(file, home);
  if (!read.ok) return failed(call, read.lines);
  const { access, listeners } = read;
  const question = { action: query.get('do')!, topic: query.get('topic')! };
  try {
    const someone = someoneFrom(access, listeners, query);
    return tell(call, await explainSomeone(access, listeners, someone, query.get('client-id'), question));
  } finally {
    await read.close();
  }
}

function tell(call: Call, report: ExplainReport): number {
  const { who, action, topic, allowed, answers, notes } = report;
  if (call.has('--json')) call.say(JSON.stringify(report, null, 2));
  else {
    const may = allowed ? 'may' : answers.some(each => each.allowed) ? 'may not everywhere' : 'may not';
    call.say(`${allowed ? 'Allowed' : 'Denied'}: ${shown(who)} ${may} ${verbs[action] ?? action} ${shown(topic)}.`);
    for (const each of answers) tellAnswer(call, each, answers.length > 1);
    for (const note of notes) call.say(`  ${shown(note)}`);
  }
  return allowed ? 0 : 1;
}

function tellAnswer(call: Call, { listener, allowed, because, tried }: ExplainedAnswer, several: boolean): void {
  const where = several ? `${listener}: ${allowed ? 'allowed' : 'denied'}, ` : '';
  call.say(`  ${where}${shown(because)}.`);
  call.say(...plainTable(tried.map(rule => ['   ', shown(rule.where), shown(rule.text), verdict(rule)])));
}

const says = { allow: 'allows it', deny: 'denies it', nothing: 'says nothing about it' } as const;

function verdict(rule: RuleTried): string {
  return rule.decides ? `${says[rule.says]}, and decides` : says[rule.says];
}
