/** The session package's types, filled in with the heart's own. */
import type { Delivery, Message, Session, SharedGroup, Subscription } from '../session/mod.ts';
import type { Connection } from './connection.ts';
import type { Identity } from './ports.ts';

export type BrokerSession = Session<Connection, Identity>;
export type BrokerMessage = Message<Identity>;
export type BrokerDelivery = Delivery<Identity>;
export type BrokerSubscription = Subscription<BrokerSession>;
export type BrokerGroup = SharedGroup<BrokerSession>;

/** What a filter in the tree leads to. */
export type Target = BrokerSubscription | BrokerGroup;

export function isGroup(target: Target): target is BrokerGroup {
  return (target as BrokerGroup).members !== undefined;
}
