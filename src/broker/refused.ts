/**
 * What happens when the access rules have said no: it is remembered with its reason, the operator's log has it, and
 * access control is told what a client has tried.
 *
 * The log must not become longer by a client that goes on trying: a client is spoken of once a minute, everybody
 * together LINES_MAX times in ten seconds.
 */
import type { Broker } from './broker.ts';
import type { AccessQuestion, Identity, RefusedAction } from './ports.ts';

const actions: Readonly<Record<AccessQuestion, RefusedAction>> = {
  write: 'publish',
  read: 'receive',
  subscribe: 'subscribe',
  unsubscribe: 'unsubscribe',
};

/** A client has tried to publish, to subscribe or to unsubscribe. `topic` has the mount point in front. */
export function noteRefused(broker: Broker, who: Identity, access: AccessQuestion, topic: string): void {
  const { unixSecond } = broker;
  const because = (): string => broker.access.explain(access, who, topic).because;
  const told = broker.refusals.note(who.clientId, actions[access], topic, unixSecond, because);
  broker.access.refused?.(access, who, topic);
  if (unixSecond - told.toldAt < SILENCE_SECONDS || !broker.refusalLines.take(broker)) return;
  const { topic: shown = '', because: reason = null } = told.latest ?? {};
  const before = told.untold > 1 ? ` It was refused ${told.untold - 1} times before since the last such line.` : '';
  const text = `  ${who.clientId} may not ${actions[access]} ${shown}: ${reason ?? 'too much is refused to look up why'}.${before}`;
  const { clientId: client, username: user, address } = who;
  broker.log.write('notice', text, {
    code: 'client.may-not',
    client,
    user,
    address,
    topic: shown,
    rule: reason ?? undefined,
  });
  told.toldAt = unixSecond;
  told.untold = 0;
}

/** A message is not delivered to somebody who has subscribed to its topic: nothing it did, so the log does not speak of it. */
export function noteUnread(broker: Broker, who: Identity, topic: string): void {
  const because = (): string => broker.access.explain('read', who, topic).because;
  broker.refusals.note(who.clientId, 'receive', topic, broker.unixSecond, because);
}

const SILENCE_SECONDS = 60;
const LINES_MAX = 20;
const LINES_SECONDS = 10;

/** The bound on all clients together. */
export class RefusalLines {
  #left = LINES_MAX;
  #since = 0;

  take({ unixSecond, log }: Broker): boolean {
    if (unixSecond - this.#since >= LINES_SECONDS) [this.#left, this.#since] = [LINES_MAX, unixSecond];
    if (this.#left === 0) return false;
    this.#left--;
    if (this.#left > 0) return true;
    log.write(
      'notice',
      '  More is refused than is logged: zancudo explain --last CLIENT has the rest.',
      'client.refusals-untold',
    );
    return false;
  }
}
