/**
 * Topics that the broker answers itself: a PUBLISH there is a request to a TopicService (ports.ts), and reaches nobody
 * else. A topic of these namespaces that no service serves is answered so, to the sender alone.
 *
 *   PUBLISH $CONTROL/x/v1 ─ acknowledged ─ service ─ reply ─> $CONTROL/x/v1/response     every subscriber who may read
 *   PUBLISH $CA/v1/enroll ─ acknowledged ─ service ─ reply ─> $CA/v1/enroll/response     the sender alone
 *                                                         └─> its own response topic, if it named one (MQTT 5, 4.10)
 */
import { ByteReader, ByteWriter, NO_BYTES, type Properties, readProperty } from '../codec/mod.ts';
import { Message } from '../session/mod.ts';
import type { Broker } from './broker.ts';
import type { Connection } from './connection.ts';
import { sendMessageAtMostOnce } from './deliver.ts';
import type { Identity, TopicService } from './ports.ts';

const CONTROL = '$CONTROL/';
const AUTHORITY = '$CA/';

/** The property's identifier (MQTT 5, 3.3.2.3.6). */
const CORRELATION_DATA = 0x09;

const NOT_AVAILABLE = Buffer.from('{"error": "endpoint not available"}');
const TOO_LARGE = Buffer.from('{"error": "request too large"}');

/** What of a PUBLISH a service needs; memory of its own. */
export interface ServiceCall {
  topicName: string;
  payload: Buffer;
  /** Forwardable properties as raw bytes. */
  properties: Buffer;
}

export class Services {
  private readonly byTopic = new Map<string, TopicService>();

  find(topicName: string): TopicService | undefined {
    return this.byTopic.get(topicName);
  }

  /** Takes the place of whoever served the same topics before. */
  add(service: TopicService): void {
    for (const topic of service.topics) {
      if (!isServiceTopic(topic)) throw new Error(`${topic} is no topic that a service may have`);
      this.byTopic.set(topic, service);
    }
  }

  remove(service: TopicService): void {
    for (const topic of service.topics) if (this.byTopic.get(topic) === service) this.byTopic.delete(topic);
  }
}

export function isServiceTopic(topicName: string): boolean {
  return topicName.startsWith(CONTROL) || topicName.startsWith(AUTHORITY);
}

/** The service decides about the sender, and answers it alone: no access rule is asked, for writing or for subscribing. */
export function isOutsideRules(topic: string): boolean {
  return topic.startsWith(AUTHORITY);
}

/** The same of a topic name still in its packet. */
export function isOutsideRulesBytes(bytes: Buffer, start: number, end: number): boolean {
  return end - start >= AUTHORITY.length && bytes.toString('latin1', start, start + AUTHORITY.length) === AUTHORITY;
}

export function serve(broker: Broker, connection: Connection, call: ServiceCall): void {
  const { topicName, payload } = call;
  const service = broker.services.find(topicName);
  if (service === undefined) return answerSender(broker, connection, `${topicName}/response`, NOT_AVAILABLE);
  if (payload.length > service.payloadBytesMax) {
    return answerSender(broker, connection, `${topicName}/response`, TOO_LARGE);
  }
  const { identity: who, peer } = connection;
  const reply = (answer: Buffer): void => deliverReply(broker, connection, call, answer);
  service.handle({ topic: topicName, payload, who, peer, shown: connection.pass?.shown, reply });
}

function deliverReply(broker: Broker, connection: Connection, call: ServiceCall, answer: Buffer): void {
  broker.lookAtTheClock();
  const usual = `${call.topicName}/response`;
  const { responseTopic = usual, correlationData } = propertiesOf(call.properties);
  const toAll = !isOutsideRules(call.topicName);
  if (toAll) broker.publish(usual, answer);
  if (toAll && responseTopic === usual) return;
  answerSender(broker, connection, responseTopic, answer, correlationData);
}

/** At QoS 0 and straight to the sender, subscribed or not; nothing when it is gone. */
function answerSender(
  broker: Broker,
  connection: Connection,
  topicName: string,
  answer: Buffer,
  correlationData?: Buffer,
): void {
  if (connection.closed) return;
  // The client's own words: the mount point comes off again on the way out.
  const topic = broker.topics.findText(connection.peer.listener.mountPoint + topicName);
  // Too long with what was put around it.
  if (topic === null) return;
  const properties = correlationData === undefined ? NO_BYTES : correlation(correlationData);
  const message = new Message<Identity>(topic.name, topic.bytes, answer, properties, 0 as const, false, 0, null);
  sendMessageAtMostOnce(broker, connection, message, false, 0);
}

function propertiesOf(raw: Buffer): Properties {
  const properties: Properties = {};
  const reader = new ByteReader(raw, 0, raw.length);
  while (reader.left > 0) readProperty(reader, 'publish', properties);
  return properties;
}

function correlation(correlationData: Buffer): Buffer {
  return new ByteWriter().varint(CORRELATION_DATA).binary(correlationData).view();
}
