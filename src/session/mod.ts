/** What is remembered of one client. Knows no other session, no disk and no socket. */
export { IncomingAliases, OutgoingAliases } from './aliases.ts';
export { Delivery, deliveryStates } from './delivery.ts';
export type { Held } from './held.ts';
export { type IncomingExchange, IncomingExchanges } from './incoming-exchanges.ts';
export { Inflight } from './inflight.ts';
export { Message } from './message.ts';
export { OutgoingQueue, type QueueTotals } from './outgoing-queue.ts';
export { NEVER, Session, type SessionWill } from './session.ts';
export { type SharedGroup, Subscription } from './subscription.ts';
export { Subscriptions } from './subscriptions.ts';
