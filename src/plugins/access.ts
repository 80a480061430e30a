/** A plugin among those who are asked about logins and rights. A fault refuses, and so does a plugin that is `refuses`. */
import type { AuthenticationRequest, Identity } from '../broker/ports.ts';
import type { Access, Answer, AuthenticationAnswer, Authenticator, Authorizer, Reasons } from '../security/mod.ts';
import { clientOf, loginOf } from './clients.ts';
import { FAILED, isPromise, type LoadedPlugin } from './plugin.ts';
import type { Seat } from './seat.ts';
import type { AccessAnswer, AccessQuestion, LoginAnswer } from './types.ts';

export function authenticatorOf(seat: Seat): Authenticator {
  const authenticate = (request: AuthenticationRequest): AuthenticationAnswer | Promise<AuthenticationAnswer> => {
    const { plugin } = seat;
    if (!seat.serves(request) || plugin.state === 'left out') return 'ignore';
    if (plugin.state === 'refuses') return { deny: tooFaulty(plugin), undecided: true };
    const login = loginOf(request);
    const answer = plugin.wait('authenticate', 'the login is refused', hooks => hooks.authenticate?.(login));
    return isPromise(answer) ? answer.then(late => verdict(plugin, late)) : verdict(plugin, answer);
  };
  return { authenticate };
}

function verdict(plugin: LoadedPlugin, answer: LoginAnswer | typeof FAILED): AuthenticationAnswer {
  const { name } = plugin.plan;
  if (answer === FAILED) return { deny: `plugin ${name} failed to answer`, undecided: true };
  if (answer === undefined || answer === null) return 'ignore';
  if (answer === 'allow' || answer === 'defer') return answer;
  const text = denialOf(answer);
  if (text !== null) return { deny: `plugin ${name} says no${text}` };
  plugin.faults.note('authenticate', new TypeError(unknownAnswer(answer)), 'the login is refused');
  return { deny: `plugin ${name} gave an answer that is none`, undecided: true };
}

const actions: Readonly<Record<Access, AccessQuestion['action']>> = {
  write: 'publish',
  read: 'receive',
  subscribe: 'subscribe',
  unsubscribe: 'unsubscribe',
};

export function authorizerOf(seat: Seat): Authorizer {
  const explain = (access: Access, who: Identity, topic: string): Reasons => {
    const { plugin } = seat;
    if (!seat.serves(who)) return reasons('ignore', `plugin ${plugin.plan.name} is not asked on ${who.listener.name}`);
    const { answer, because, hook = 'authorize' } = decide(plugin, access, who, topic);
    const says = answer === 'allow' || answer === 'deny' ? answer : 'nothing';
    const tried = {
      where: `plugin ${plugin.plan.name}`,
      text: hook,
      says,
      decides: says !== 'nothing',
    } as const;
    return { answer, because, tried: [tried] };
  };
  return {
    may: (access, who, topic) => (seat.serves(who) ? decide(seat.plugin, access, who, topic).answer : 'ignore'),
    explain,
    asks: seat.plugin.hooks.authorizeLater !== undefined,
    ask: (access, who, topic) => (seat.serves(who) ? askLater(seat.plugin, access, who, topic) : null),
  };
}

function reasons(answer: Answer, because: string): Reasons {
  return { answer, because, tried: [] };
}

export interface Decision {
  answer: Answer;
  because: string;
  /** Which hook has said so, if it is not `authorize`. */
  hook?: 'authorizeLater';
}

function decide(plugin: LoadedPlugin, access: Access, client: Identity, topic: string): Decision {
  const decision = decideNow(plugin, access, client, topic);
  if (decision.answer !== 'ignore' || !isAskedLater(plugin)) return decision;
  const because = `plugin ${plugin.plan.name} has not been asked yet`;
  return plugin.later.of(keyOf(access, client, topic)) ?? { answer: 'deny', because, hook: 'authorizeLater' };
}

function isAskedLater({ hooks, state }: LoadedPlugin): boolean {
  return hooks.authorizeLater !== undefined && state !== 'left out';
}

/** Null when `decide` can say. */
function askLater(plugin: LoadedPlugin, access: Access, who: Identity, topic: string): Promise<void> | null {
  if (!isAskedLater(plugin) || decideNow(plugin, access, who, topic).answer !== 'ignore') return null;
  const { name } = plugin.plan;
  const question: AccessQuestion = { action: actions[access], topic, client: clientOf(who) };
  return plugin.later.ask(keyOf(access, who, topic), async () => {
    const hook = 'authorizeLater';
    const decision = await plugin.wait(hook, 'it may not', async hooks => {
      return decisionOf(name, await hooks.authorizeLater!(question));
    });
    if (decision === FAILED) return { answer: 'deny', because: `plugin ${name} failed to answer`, hook };
    return { ...decision, hook };
  });
}

/** NUL is in no topic, identifier or name (MQTT 5, 1.5.4). */
function keyOf(access: Access, { clientId, username, address, listener }: Identity, topic: string): string {
  return [access, clientId, username ?? '\0', address, listener.name, topic].join('\0');
}

function decideNow(plugin: LoadedPlugin, access: Access, client: Identity, topic: string): Decision {
  const { name } = plugin.plan;
  if (plugin.state === 'left out') return { answer: 'ignore', because: `plugin ${name} is switched off` };
  if (plugin.state === 'refuses') return { answer: 'deny', because: tooFaulty(plugin) };
  if (plugin.hooks.authorize === undefined) return { answer: 'ignore', because: `plugin ${name} says nothing` };
  const question: AccessQuestion = { action: actions[access], topic, client: clientOf(client) };
  const decision = plugin.ask(
    'authorize',
    'it may not',
    hooks => hooks.authorize?.(question),
    answer => decisionOf(name, answer),
  );
  return decision === FAILED ? { answer: 'deny', because: `plugin ${name} failed to answer` } : decision;
}

function decisionOf(name: string, answer: AccessAnswer): Decision {
  if (answer === undefined || answer === null) return { answer: 'ignore', because: `plugin ${name} says nothing` };
  if (answer === 'allow') return { answer, because: `plugin ${name} allows it` };
  if (answer === 'defer') return { answer, because: `plugin ${name} does not allow it` };
  const text = denialOf(answer);
  if (text !== null) return { answer: 'deny', because: `plugin ${name} says no${text}` };
  throw new TypeError(unknownAnswer(answer));
}

/** What stands behind "says no"; null when it does not say no. */
function denialOf(answer: unknown): string | null {
  if (answer === 'deny') return '';
  const because = (answer as { deny?: unknown }).deny;
  return typeof because === 'string' ? `: ${because}` : null;
}

function unknownAnswer(answer: unknown): string {
  return `it answered ${JSON.stringify(answer) ?? String(answer)}, not 'allow', 'deny', { deny: 'why' }, 'defer' or nothing`;
}

function tooFaulty({ plan }: LoadedPlugin): string {
  return `plugin ${plan.name} has failed too often (plugin_when_faulty refuse)`;
}
