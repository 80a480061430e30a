/**
 * Where plugins meet messages.
 *
 *   PUBLISH ─ limits, access ─ askIncoming ─ retain, route ─ askOutgoing ─ deliver      for each subscriber
 *                                  └ kept back                   └ kept back
 *
 * A message is shown in memory of its own, so that a plugin may keep it; what it changes makes a new one. Without a plugin
 * nothing here is called. A plugin is its operator's: what it changes is not asked about again by the access rules.
 */
import { ByteReader, ByteWriter, NO_BYTES, type Properties, readProperty, writeProperties } from '../codec/mod.ts';
import { Message } from '../session/mod.ts';
import type { Broker } from './broker.ts';
import type {
  HookAnswer,
  HookedMessage,
  Hooks,
  Identity,
  MessageChange,
  MessageKept,
  MessageProperties,
} from './ports.ts';
import { Publication } from './publication.ts';
import type { BrokerMessage } from './types.ts';

export const noHooks: Hooks = { incoming: null, outgoing: null, events: null };

/** A message as plugins see it. */
class ShownMessage implements HookedMessage {
  readonly #message: BrokerMessage;
  #properties: MessageProperties | null = null;

  constructor(message: BrokerMessage) {
    this.#message = message;
  }

  get topic(): string {
    return this.#message.topicName;
  }
  get payload(): Buffer {
    return this.#message.payload;
  }
  get qos(): 0 | 1 | 2 {
    return this.#message.qos;
  }
  get retain(): boolean {
    return this.#message.retain;
  }
  get properties(): MessageProperties {
    return (this.#properties ??= decoded(this.#message.properties));
  }
}

/**
 * Asks about a message that comes in; `publication` becomes what they make of it. Null when it may go on, otherwise the
 * reason code for its publisher, 0 for success.
 */
export function askIncoming(broker: Broker, publication: Publication): number | null {
  const { incoming } = broker.hooks;
  const { publisher } = publication;
  if (incoming === null || publisher === null) return null;
  const message = publication.stable();
  const answer = incoming(new ShownMessage(message), publisher);
  if (answer === null) return null;
  if (isKept(answer)) {
    noteKept(broker, publisher, 'publish', message, answer);
    return answer.reasonCode;
  }
  const topic = broker.topics.findText(answer.topic ?? message.topicName);
  if (topic === null) throw new Error('a plugin gave a topic name that is none');
  publication.fromMessage(changed(message, answer, topic.name, topic.bytes), topic);
  return null;
}

/** What this subscriber is to get of it: the same, another one, or null for nothing. */
export function askOutgoing(broker: Broker, publication: Publication, to: Identity): Publication | null {
  const message = publication.stable();
  const given = outgoingMessage(broker, message, to);
  if (given === message || given === null) return given === null ? null : publication;
  return new Publication(broker.payloads).fromMessage(given, publication.topic);
}

/** The same of a message in memory of its own. */
export function outgoingMessage(broker: Broker, message: BrokerMessage, to: Identity): BrokerMessage | null {
  const answer = broker.hooks.outgoing!(new ShownMessage(message), to, message.publisher);
  if (answer === null) return message;
  if (!isKept(answer)) return changed(message, answer, message.topicName, message.topic);
  noteKept(broker, to, 'receive', message, answer);
  return null;
}

export function tellPublished({ hooks }: Broker, publication: Publication, matched: number): void {
  const { publisher } = publication;
  if (publisher === null) return;
  hooks.events?.published?.(new ShownMessage(publication.stable()), publisher, matched);
}

function isKept(answer: NonNullable<HookAnswer>): answer is MessageKept {
  return (answer as MessageKept).kept !== undefined;
}

/** For `zancudo drops` and `zancudo explain --last`. */
function noteKept(
  { drops, refusals, unixSecond }: Broker,
  { clientId }: Identity,
  action: 'publish' | 'receive',
  { topicName, payload }: BrokerMessage,
  { kept }: MessageKept,
): void {
  drops.note(clientId, 'plugin', payload.length, unixSecond);
  refusals.note(clientId, action, topicName, unixSecond, () => kept);
}

function changed(message: BrokerMessage, change: MessageChange, topicName: string, topic: Buffer): BrokerMessage {
  return new Message<Identity>(
    topicName,
    topic,
    change.payload ?? message.payload,
    change.properties === undefined ? message.properties : encoded(change.properties),
    change.qos ?? message.qos,
    change.retain ?? message.retain,
    message.expiresAt,
    message.publisher,
  );
}

function decoded(bytes: Buffer): MessageProperties {
  const properties: Properties = {};
  const reader = new ByteReader(bytes, 0, bytes.length);
  while (reader.left > 0) readProperty(reader, 'publish', properties);
  return properties;
}

/** Without the length in front, as messages carry them. */
function encoded(properties: MessageProperties): Buffer {
  if (Object.keys(properties).length === 0) return NO_BYTES;
  const writer = new ByteWriter();
  writeProperties(writer, properties);
  const whole = new ByteReader(Buffer.from(writer.view()), 0, writer.length);
  whole.varint();
  return whole.bytes.subarray(whole.position);
}
