/** Rules that lie in a database are fetched before the CONNACK, so that no message ever waits for them. */
import type { ConnectAttempt, StageOutcome } from './attempt.ts';
import { notAuthorised } from './authenticate.ts';

export function prepareRules({ broker, connection }: ConnectAttempt): StageOutcome | Promise<StageOutcome> {
  const wait = broker.access.prepare?.(connection.identity) ?? null;
  return wait === null ? undefined : wait.then(because => (because === null ? undefined : notAuthorised(because)));
}
