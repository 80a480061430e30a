/**
 * Incoming messages and their acknowledgements (MQTT 5, 4.3). A message of QoS 2 is handed on when it is released, once,
 * however often its PUBLISH was repeated; what is not released yet outlives the connection as the session does.
 */
import type { Connection } from './connection.ts';
import type { Message } from './options.ts';

export class Incoming {
  private readonly when: 'first' | 'handled';
  private readonly handle: (message: Message) => void | Promise<void>;
  private readonly unreleased = new Map<number, Message>();

  constructor(when: 'first' | 'handled', handle: (message: Message) => void | Promise<void>) {
    this.when = when;
    this.handle = handle;
  }

  /** The session is new: nothing will be released that came before. */
  forget(): void {
    this.unreleased.clear();
  }

  arrived(message: Message, connection: Connection): void {
    if (message.qos === 0) return void this.handle(message);
    if (message.qos === 1) return this.handOn(message, () => connection.sendAck('puback', message.packetId));
    this.unreleased.set(message.packetId, message);
    connection.sendAck('pubrec', message.packetId);
  }

  released(packetId: number, connection: Connection): void {
    const message = this.unreleased.get(packetId);
    this.unreleased.delete(packetId);
    const complete = (): void => connection.sendAck('pubcomp', packetId);
    if (message === undefined) complete();
    else this.handOn(message, complete);
  }

  private handOn(message: Message, acknowledge: () => void): void {
    if (this.when === 'first') {
      acknowledge();
      void this.handle(message);
      return;
    }
    const handled = this.handle(message);
    if (handled === undefined) acknowledge();
    // A handler that fails leaves the message unacknowledged: the broker sends it again on the next connection.
    else handled.then(acknowledge, () => undefined);
  }
}
