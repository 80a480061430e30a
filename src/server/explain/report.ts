/**
 * The answer to `zancudo explain`: who is meant, then the question put to the access control in force, on each listener
 * that has rules of its own. The same code answers from files, where there is no broker.
 */
import type { ExplainedAnswer, ExplainReport } from '../../admin/mod.ts';
import type { AccessQuestion, Explanation, Identity, ListenerRules } from '../../broker/ports.ts';
import type { ConfiguredAccessControl } from '../../security/mod.ts';

export const explainedActions: Readonly<Record<string, AccessQuestion>> = {
  publish: 'write',
  receive: 'read',
  subscribe: 'subscribe',
  unsubscribe: 'unsubscribe',
};

/** What is known of somebody who is not connected. */
export type Someone =
  | { kind: 'anonymous' }
  | { kind: 'user'; name: string }
  /** By the rules that are bound to its certificates. */
  | { kind: 'device'; name: string }
  | { kind: 'certificate'; commonName: string | null; subject: string; fingerprint256: string };

export interface Question {
  /** A row of explainedActions. */
  action: string;
  /** As the client writes it, without a mount point. */
  topic: string;
}

/** One identity, on its own listener. */
export async function explainIdentity(
  access: ConfiguredAccessControl,
  who: Identity,
  question: Question,
): Promise<ExplainReport> {
  return reportOf(clientText(who), question, [await ask(access, who, question)]);
}

/** Somebody who might come by any listener. */
export async function explainSomeone(
  access: ConfiguredAccessControl,
  listeners: readonly ListenerRules[],
  someone: Someone,
  clientId: string | null,
  question: Question,
): Promise<ExplainReport> {
  const everywhere = listeners.map(listener => identityOf(access, listener, someone, clientId));
  const answers = await Promise.all(everywhere.map(who => ask(access, who, question)));
  return reportOf(someoneText(someone, clientId), question, merged(answers));
}

/** A database has to be asked about people who are not here before their rules can be. */
async function ask(
  access: ConfiguredAccessControl,
  who: Identity,
  { action, topic }: Question,
): Promise<ExplainedAnswer> {
  const { listener } = who;
  const unknown = await access.prepare(who);
  if (unknown !== null) return { listener: listener.name, allowed: false, because: unknown, tried: [] };
  const asked = explainedActions[action]!;
  await access.ask(asked, who, mounted(listener, topic));
  const { allowed, because, tried } = service(topic) ?? access.explain(asked, who, mounted(listener, topic));
  return { listener: listener.name, allowed, because, tried: [...tried] };
}

/** `$share/group/` says who shares, and is no part of what the rules are asked about. */
function mounted({ mountPoint }: ListenerRules, topic: string): string {
  return mountPoint + topic.replace(/^\$share\/[^/]+\//, '');
}

function service(topic: string): Explanation | null {
  if (!topic.startsWith('$CA/')) return null;
  return { allowed: true, because: 'the CA answers there, and decides by what the client shows', tried: [] };
}

function identityOf(
  access: ConfiguredAccessControl,
  listener: ListenerRules,
  someone: Someone,
  clientId: string | null,
): Identity {
  const of = (username: string | null): Identity => {
    return { clientId: clientId ?? username ?? '', username, listener, address: '' };
  };
  switch (someone.kind) {
    case 'anonymous':
      return of(null);
    case 'user':
      return of(someone.name);
    case 'device':
      return { ...of(someone.name), certificate: access.certificateOf(listener, someone.name) ?? '' };
    case 'certificate': {
      const { commonName, subject, fingerprint256 } = someone;
      const name = listener.useSubjectAsUsername ? subject : listener.useIdentityAsUsername ? commonName : null;
      return { ...of(name), clientId: clientId ?? commonName ?? '', certificate: fingerprint256 };
    }
  }
}

/** Listeners that say the same are one answer. */
function merged(answers: readonly ExplainedAnswer[]): ExplainedAnswer[] {
  const byText = new Map<string, ExplainedAnswer>();
  for (const answer of answers) {
    const { listener, ...rest } = answer;
    const key = JSON.stringify(rest);
    const known = byText.get(key);
    byText.set(key, known === undefined ? answer : { ...known, listener: `${known.listener}, ${listener}` });
  }
  return [...byText.values()];
}

function reportOf(who: string, { action, topic }: Question, answers: ExplainedAnswer[]): ExplainReport {
  const allowed = answers.length > 0 && answers.every(each => each.allowed);
  return { who, action, topic, allowed, answers, notes: [] };
}

export function clientText({ clientId, username }: Identity): string {
  return username === null ? `client ${clientId} (without a user name)` : `client ${clientId} (user '${username}')`;
}

function someoneText(someone: Someone, clientId: string | null): string {
  const asClient = clientId === null ? '' : ` as client ${clientId}`;
  switch (someone.kind) {
    case 'anonymous':
      return `a client without a user name${asClient}`;
    case 'user':
      return `user '${someone.name}'${asClient}`;
    case 'device':
      return `device '${someone.name}' by its certificate${asClient}`;
    case 'certificate':
      return `the certificate of ${someone.commonName ?? someone.subject}${asClient}`;
  }
}

/** What the command has found out about WHO; where it knows nothing more, the name of a device comes before a user's. */
export function someoneFrom(
  access: ConfiguredAccessControl,
  listeners: readonly ListenerRules[],
  query: URLSearchParams,
): Someone {
  const [name, kind, fingerprint256] = [query.get('who') ?? '', query.get('as'), query.get('fingerprint')];
  if (fingerprint256 !== null) {
    return { kind: 'certificate', commonName: query.get('cn'), subject: query.get('subject') ?? '', fingerprint256 };
  }
  if (kind === 'anonymous') return { kind };
  const isDevice = listeners.some(listener => access.certificateOf(listener, name) !== null);
  return kind === 'device' || (kind === null && isDevice) ? { kind: 'device', name } : { kind: 'user', name };
}
