import type { Message } from './message.ts';

/** How far the exchange with the subscriber has come (MQTT 5, 4.3). */
export const deliveryStates = {
  /** Waiting in the queue, or to be sent again after a reconnect. */
  unsent: 0,
  /** PUBLISH is out; PUBACK or PUBREC is awaited. */
  published: 1,
  /** PUBREC has come, PUBREL is out; PUBCOMP is awaited. */
  released: 2,
  /** As `released`, but the PUBREL has still to be sent after a reconnect. */
  releaseUnsent: 3,
} as const;
export type DeliveryState = (typeof deliveryStates)[keyof typeof deliveryStates];

/** One message on its way to one subscriber. */
export class Delivery<Publisher = unknown> {
  readonly message: Message<Publisher>;
  /** The lower of the publisher's and the subscription's. */
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  /** 0 for none. */
  readonly subscriptionIdentifier: number;
  /** 0 until it is in flight. */
  packetId = 0;
  state: DeliveryState = deliveryStates.unsent;
  /** True once it was sent over any connection: the next time carries DUP. [MQTT-3.3.1-1] */
  dup = false;

  constructor(message: Message<Publisher>, qos: 0 | 1 | 2, retain: boolean, subscriptionIdentifier: number) {
    this.message = message;
    this.qos = qos;
    this.retain = retain;
    this.subscriptionIdentifier = subscriptionIdentifier;
  }
}
