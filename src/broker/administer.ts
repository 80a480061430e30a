/** What services and the operator's tools may do to those who are connected: BrokerControl of ports.ts. */
import { reasonCodes } from '../codec/mod.ts';
import { mayStillSubscribe } from './asking.ts';
import type { Broker } from './broker.ts';
import { endConnection, phraseFor } from './endings.ts';
import type { BrokerControl, Identity } from './ports.ts';
import { unsubscribe } from './subscribe.ts';

export function controlOf(broker: Broker): BrokerControl {
  return {
    clients: () => clients(broker),
    disconnect: (which, because) => disconnect(broker, which, because),
    dropForbiddenSubscriptions: whose => dropForbiddenSubscriptions(broker, whose),
    recheck: () => broker.recheck(),
  };
}

function* clients(broker: Broker): Iterable<Identity & { port: number }> {
  for (const { state, pass, identity, peer } of broker.connections) {
    if (state === 'open' && pass === null) yield { ...identity, port: peer.port };
  }
}

/** As Mosquitto's plugins do it (docs/compat/dynsec.md, 7). */
function disconnect(broker: Broker, which: (who: Identity) => boolean, because: string): number {
  const disconnectCode = reasonCodes.administrativeAction;
  const reason = phraseFor(disconnectCode);
  broker.lookAtTheClock();
  const gone = [...broker.connections].filter(({ state, identity }) => state === 'open' && which(identity));
  for (const connection of gone) {
    endConnection(broker, connection, { reason, disconnectCode, will: 'discard', explanation: `  ${because}` });
  }
  return gone.length;
}

function dropForbiddenSubscriptions(broker: Broker, whose: (who: Identity) => boolean): number {
  let dropped = 0;
  for (const { owner, subscriptions } of [...broker.sessions.values()]) {
    if (owner === null || !whose(owner)) continue;
    for (const subscription of subscriptions.all()) {
      if (mayStillSubscribe(broker, owner, subscription.topicFilter)) continue;
      unsubscribe(broker, subscription);
      dropped++;
    }
  }
  return dropped;
}
