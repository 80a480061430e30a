/** Every packet as a line, in the words of Mosquitto's `-d`. */
import type { Ack, AckName, Connack, PublishView, Subscribe, Unsubscribe } from '../codec/mod.ts';

export interface SentPublish {
  dup: boolean;
  qos: number;
  retain: boolean;
  packetId: number;
  topic: string;
  payloadBytes: number;
}

export class Trace {
  /** Empty until the broker has assigned one. */
  clientId: string;
  private readonly print: (line: string) => void;

  constructor(clientId: string, print: (line: string) => void) {
    this.clientId = clientId;
    this.print = print;
  }

  sending(what: string): void {
    this.print(`Client ${this.shownId} sending ${what}`);
  }

  received(what: string): void {
    this.print(`Client ${this.shownId} received ${what}`);
  }

  receivedConnack(packet: Connack): void {
    this.received(`CONNACK (${packet.reasonCode})`);
  }

  sendingPublish(sent: SentPublish): void {
    this.sending(`PUBLISH (${publishText(sent)})`);
  }

  receivedPublish(view: PublishView, topic: string): void {
    const { dup, qos, retain, packetId } = view;
    const payloadBytes = view.payloadEnd - view.payloadStart;
    this.received(`PUBLISH (${publishText({ dup, qos, retain, packetId, topic, payloadBytes })})`);
  }

  sendingSubscribe(packet: Subscribe): void {
    for (const item of packet.items) {
      const options = (item.noLocal ? 4 : 0) | (item.retainAsPublished ? 8 : 0) | (item.retainHandling << 4);
      const shown = options.toString(16).padStart(2, '0');
      this.sending(
        `SUBSCRIBE (Mid: ${packet.packetId}, Topic: ${item.topicFilter}, QoS: ${item.qos}, Options: 0x${shown})`,
      );
    }
  }

  sendingUnsubscribe(packet: Unsubscribe): void {
    for (const filter of packet.topicFilters) {
      this.sending(`UNSUBSCRIBE (Mid: ${packet.packetId}, Topic: ${filter})`);
    }
  }

  sendingAck(name: AckName, packetId: number, reasonCode: number): void {
    const code = name === 'puback' || name === 'pubrec' ? `, rc${reasonCode}` : '';
    this.sending(`${name.toUpperCase()} (m${packetId}${code})`);
  }

  receivedAck(name: AckName, { packetId, reasonCode }: Ack): void {
    const code = name === 'puback' || name === 'pubcomp' ? `, RC:${reasonCode}` : '';
    this.received(`${name.toUpperCase()} (Mid: ${packetId}${code})`);
  }

  receivedDisconnect(reasonCode: number): void {
    this.print(`Received DISCONNECT (${reasonCode})`);
  }

  private get shownId(): string {
    return this.clientId === '' ? '(null)' : this.clientId;
  }
}

function publishText({ dup, qos, retain, packetId, topic, payloadBytes }: SentPublish): string {
  const flags = `d${Number(dup)}, q${qos}, r${Number(retain)}, m${packetId}`;
  return `${flags}, '${topic}', ... (${payloadBytes} bytes)`;
}
