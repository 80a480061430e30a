/** Properties between the object a user writes and the raw bytes that PUBLISH and wills carry. */
import { ByteReader, ByteWriter, NO_BYTES, NO_PROPERTIES, type Properties, type PublishView } from '../codec/mod.ts';
import { readProperty, writeProperties } from '../codec/mod.ts';

/** Raw properties in the object's order, without the block's length and without `topicAlias`, which is written apart. */
export function rawProperties(properties: Properties | undefined): Buffer {
  if (properties === undefined) return NO_BYTES;
  const others = { ...properties };
  delete others.topicAlias;
  const writer = new ByteWriter();
  writeProperties(writer, others);
  const block = writer.view();
  let start = 0;
  while (block[start]! >= 0x80) start++;
  return Buffer.from(block.subarray(start + 1));
}

/** What a PUBLISH brought, in the order in which it came. */
export function publishProperties(view: PublishView): Readonly<Properties> {
  const [identifier] = view.subscriptionIdentifiers;
  const expiry = view.messageExpiryInterval;
  if (view.properties.length === 0 && expiry < 0 && view.topicAlias === 0 && identifier === undefined) {
    return NO_PROPERTIES;
  }
  const properties: Properties = {};
  const reader = new ByteReader(view.properties);
  while (reader.left > 0) readProperty(reader, 'publish', properties);
  if (expiry >= 0) properties.messageExpiryInterval = expiry;
  if (view.topicAlias > 0) properties.topicAlias = view.topicAlias;
  if (identifier !== undefined) properties.subscriptionIdentifier = identifier;
  return properties;
}
