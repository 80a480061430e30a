/**
 * The referee: two clients with one client identifier throw each other out for ever, and each looks as if its network
 * were bad.
 *
 *   take-over between two sources, `rounds` times within a minute ──> a fight: both are named, with the remedy
 *                                        newcomer held ──> whoever is connected stays; 15 s, 30 s ... 10 min
 *
 * A device that comes back from where it was takes its own old connection over; that is no round. Only when one source
 * does so far more often than a device would is it told, too, and never held: two programs on one machine look like that.
 */
import { aboutPeer } from '../about.ts';
import { sourceOf } from '../../base/mod.ts';
import { reasonCodes, returnCodes } from '../../codec/mod.ts';
import type { Connection } from '../connection.ts';
import { phraseFor } from '../endings.ts';
import type { ConnectAttempt, StageOutcome } from './attempt.ts';
import { later } from './later.ts';

const WINDOW_MS = 60_000;
/** Rounds within one source, for each that two sources have. */
const SAME_SOURCE_FACTOR = 4;
const HOLD_MS = 15_000;
const HOLD_MS_MAX = 600_000;
/** A fight without a round for so long is over. */
const FORGET_MS = 900_000;
/** The same fight is told again after this time. */
const SAY_AGAIN_MS = 300_000;
/** Who is held off hears it so much later, so as not to come at once again. */
const ANSWER_AFTER_MS = 2000;
/** Beyond it the fight that has been quiet longest is forgotten. About 1 MB. */
const FIGHTS_MAX = 1000;

interface Fight {
  /** Of the last rounds, the oldest first; as many as it takes. */
  apart: number[];
  within: number[];
  lastAt: number;
  saidAt: number;
  holds: number;
  heldUntil: number;
}

export class Referee {
  /** By client identifier; whose last round is the latest stands last. */
  readonly #fights = new Map<string, Fight>();

  /** The fight that goes on about this client identifier after one more round; null while it is none. */
  round(clientId: string, sameSource: boolean, rounds: number, now: number): Fight | null {
    const fight = this.#fightOf(clientId, now);
    const times = sameSource ? fight.within : fight.apart;
    const needed = sameSource ? rounds * SAME_SOURCE_FACTOR : rounds;
    times.push(now);
    while (times.length > needed) times.shift();
    fight.lastAt = now;
    const isFight = fight.holds > 0 || (times.length === needed && now - times[0]! <= WINDOW_MS);
    return isFight ? fight : null;
  }

  /** Milliseconds for which newcomers of this client identifier are still held off. */
  heldMs(clientId: string, now: number): number {
    return Math.max(0, (this.#fights.get(clientId)?.heldUntil ?? 0) - now);
  }

  #fightOf(clientId: string, now: number): Fight {
    const known = this.#fights.get(clientId);
    const fresh: Fight = { apart: [], within: [], lastAt: now, saidAt: -Infinity, holds: 0, heldUntil: 0 };
    const fight = known === undefined || now - known.lastAt > FORGET_MS ? fresh : known;
    this.#fights.delete(clientId);
    this.#fights.set(clientId, fight);
    const [quietest] = this.#fights.keys();
    if (this.#fights.size > FIGHTS_MAX && quietest !== undefined) this.#fights.delete(quietest);
    return fight;
  }
}

/** Asked before `old` is thrown out. A refusal when the newcomer has to wait. */
export function judgeTakeOver(attempt: ConnectAttempt, old: Connection): StageOutcome | Promise<StageOutcome> {
  const { broker, clientId, connection } = attempt;
  const { takeoverRounds, takeoverNewcomer } = broker.settings;
  if (takeoverRounds === 0 || connection.peer.listener.unixPath !== null) return undefined;
  const sameSource = sourceOf(old.peer.address) === sourceOf(connection.peer.address);
  const mayHold = takeoverNewcomer === 'hold' && !sameSource;
  if (mayHold && broker.referee.heldMs(clientId, broker.now) > 0) return holdOff(attempt);
  const fight = broker.referee.round(clientId, sameSource, takeoverRounds, broker.now);
  if (fight === null) return undefined;
  sayFight(attempt, old, fight, mayHold);
  if (!mayHold) return undefined;
  fight.heldUntil = broker.now + Math.min(HOLD_MS_MAX, HOLD_MS * 2 ** Math.min(fight.holds++, 10));
  return holdOff(attempt);
}

function holdOff({ broker, clientId }: ConnectAttempt): Promise<StageOutcome> {
  const seconds = Math.ceil(broker.referee.heldMs(clientId, broker.now) / 1000);
  broker.meter.takeoversHeldOff++;
  const because = `another one is connected as ${clientId} from elsewhere, and the two throw each other out; newcomers have to wait for ${seconds} s (takeover_newcomer).`;
  return later(broker, ANSWER_AFTER_MS, {
    v3: returnCodes.serverUnavailable,
    v5: reasonCodes.quotaExceeded,
    reason: phraseFor(reasonCodes.quotaExceeded),
    because,
    reasonString: 'another client is connected with this client identifier',
  });
}

function sayFight({ broker, connection, clientId }: ConnectAttempt, old: Connection, fight: Fight, holds: boolean): void {
  if (broker.now - fight.saidAt < SAY_AGAIN_MS) return;
  fight.saidAt = broker.now;
  broker.meter.takeoverFights++;
  const [one, other] = [old, connection].map(placeOf);
  const sameSource = sourceOf(old.peer.address) === sourceOf(connection.peer.address);
  const remedy = sameSource
    ? 'These are two programs with the same client identifier, each of which needs one of its own, or one that connects anew before it has closed.'
    : 'Give each of them a client identifier of its own.';
  const meanwhile = holds ? ' Until then newcomers are held off.' : '';
  broker.recorder.note('client.twins', { client: clientId, one: one!, other: other! });
  const about = { ...aboutPeer('client.taking-turns', connection.peer), client: clientId };
  broker.log.write('warning', `Warning: Two clients throw each other out as ${clientId}: ${one} and ${other}.`, about);
  broker.log.write('warning', `  ${remedy}${meanwhile}`, about);
} // prettier-ignore

function placeOf({ peer, credentials: { username } }: Connection): string {
  const user = username === null ? '' : `, user '${username}'`;
  return `${peer.address}:${peer.port} (${peer.listener.name}${user})`;
}
