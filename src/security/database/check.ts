/**
 * `zancudo users check`: is a backend as the configuration says? It is asked as the broker would ask it, about somebody
 * who cannot exist.
 *
 *   open ── ping ── login of a made-up name ── rules of a made-up name
 *                   must not let it in         must not make it a superuser
 */
import { randomBytes } from 'node:crypto';
import { HashQueue } from '../hash-queue.ts';
import { Gate } from './gate.ts';
import { Hashes } from './hashes.ts';
import type { OpenedSource } from './kinds.ts';
import { connectionOf, opened, Refused } from './open.ts';
import { accessBits } from './rights.ts';
import type { UserBackendSettings } from './settings.ts';
import type { Source, Subject } from './source.ts';
import { inPlainWords } from './trouble.ts';

export interface Checked {
  what: string;
  ok: boolean;
  /** What was found, or what is wrong and what to do. */
  lines: readonly string[];
}

export async function* checkBackend(settings: UserBackendSettings): AsyncIterable<Checked> {
  const warnings: string[] = [];
  let probe: OpenedSource | null = null;
  try {
    const connection = connectionOf(settings, text => warnings.push(text));
    const limits = { timeoutMs: connection.timeoutMs, atOnceMax: settings.connectionsMax, waitingMax: 10 };
    const gate = new Gate(limits, () => Promise.resolve(), { lost: () => {}, found: () => {} });
    const hashes = new Hashes(new HashQueue(), settings.saltEncoding, 0);
    probe = await opened(connection, gate, hashes);
    if (warnings.length > 0) yield { what: 'password file', ok: true, lines: warnings };
    const open = probe;
    const { source } = open;
    const reached = await told('connection', settings, async () => {
      await gate.run(() => open.ping());
      return ['it answers'];
    });
    yield reached;
    if (!reached.ok) return;
    yield await told('user', settings, () => tryLogin(source));
    if (source.rules === 'asked') yield await told('rules', settings, () => tryRules(source));
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    yield { what: 'opening', ok: false, lines: error.failure.lines };
  } finally {
    await probe?.source.close().catch(() => undefined);
  }
}

/** Looks wrong, whatever the backend says of it. */
class Wrong extends Error {}

async function told(what: string, settings: UserBackendSettings, work: () => Promise<string[]>): Promise<Checked> {
  try {
    return { what, ok: true, lines: await work() };
  } catch (error) {
    const lines = error instanceof Wrong ? [error.message] : inPlainWords(error, settings);
    return { what, ok: false, lines };
  }
}

const nobody = (): Subject => {
  const name = `zancudo-check-${randomBytes(6).toString('hex')}`;
  return { username: name, clientId: name, address: '127.0.0.1' };
};

async function tryLogin(source: Source): Promise<string[]> {
  const { answer } = await source.login(nobody(), randomBytes(16));
  if (answer === 'allow') throw new Wrong('it lets in a made-up name with a made-up password: everybody could log in');
  return [`a made-up name is ${answer === 'unknown' ? 'not known' : 'refused'}, as it should be`];
}

async function tryRules(source: Source): Promise<string[]> {
  const { superuser, rules } = await source.rights(nobody());
  if (superuser) throw new Wrong('it calls a made-up name a superuser: everybody could do everything');
  if (source.mayTopic !== undefined) return tryTopic(source.mayTopic);
  if (rules.length === 0) return ['a made-up name has none, as it should be'];
  const some = rules.slice(0, 3).map(({ filter, bits }) => `${filter} (${accessText(bits)})`).join(', ');
  return [`every name has ${rules.length}, made-up ones too: ${some}; that is right if they are meant for everybody`];
} // prettier-ignore

async function tryTopic(mayTopic: NonNullable<Source['mayTopic']>): Promise<string[]> {
  const isAllowed = await mayTopic(nobody(), 'write', 'zancudo/check');
  if (isAllowed) throw new Wrong("it lets a made-up name publish to 'zancudo/check': everybody may, by the look of it");
  return ['asked for one topic, it refuses a made-up name, as it should'];
}

function accessText(bits: number): string {
  const words = ['read', 'write', 'subscribe', 'deny'].filter(word => (bits & (accessBits(word) ?? 0)) !== 0);
  return words.join(' ');
}
