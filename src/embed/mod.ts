/** The package `zancudo`: a broker inside another program. What it offers is in types.ts. */
import { BrokerInProcess } from './broker.ts';
import type { BrokerOptions, EmbeddedBroker } from './types.ts';

export { BrokerError } from './broker-error.ts';
export type * from './types.ts';

export function createBroker(options: BrokerOptions = {}): EmbeddedBroker {
  return new BrokerInProcess(options);
}
