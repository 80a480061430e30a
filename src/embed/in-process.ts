/** The way of a client that is in this process, without a socket: its own listener, where nobody is asked for a proof. */
import { LocalPair, localPeer } from '../bridge/mod.ts';
import type { Wire } from '../client/mod.ts';
import type { RunningBroker } from '../server/mod.ts';

// Whoever runs the broker is asked for nothing, as its bridges are not.
const peer = localPeer('this process', {
  name: 'this process',
  autoIdPrefix: 'process-',
  bridge: { keepsQos0: false, startsOver: false },
});

export function wireInto({ broker }: RunningBroker): Wire {
  const pair = new LocalPair();
  broker.accept(pair.link, peer);
  return pair.wire;
}
