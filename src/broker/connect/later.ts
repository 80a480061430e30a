import { Timer } from '../../base/mod.ts';
import type { Broker } from '../broker.ts';
import type { StageOutcome } from './attempt.ts';

/** An answer that has to wait; the connection may be gone by then, which whoever waits looks at. */
export function later(broker: Broker, milliseconds: number, outcome: StageOutcome): Promise<StageOutcome> {
  return new Promise(resolve => broker.timers.set(new Timer(() => resolve(outcome)), broker.now + milliseconds));
}
