/** UNSUBSCRIBE (MQTT 5, 3.10). */
import { ByteReader } from '../byte-reader.ts';
import { ByteWriter, packetBytes } from '../byte-writer.ts';
import { malformed } from '../packet-error.ts';
import { packetTypes, type ProtocolVersion } from '../packet-types.ts';
import { NO_PROPERTIES, type Properties, readProperties, writeProperties } from '../properties.ts';
import { checkHead, readFilter } from './subscribe.ts';

export interface Unsubscribe {
  packetId: number;
  properties: Readonly<Properties>;
  topicFilters: string[];
}

export function readUnsubscribe(
  bytes: Buffer,
  first: number,
  start: number,
  end: number,
  version: ProtocolVersion,
): Unsubscribe {
  const reader = new ByteReader(bytes, start, end);
  checkHead(first, version); // [MQTT-3.10.1-1]
  const packetId = reader.uint16();
  if (packetId === 0) throw malformed('UNSUBSCRIBE packet with mid = 0.'); // Mosquitto answers 0x81 here
  const properties = version === 5 ? readProperties(reader, 'unsubscribe') : NO_PROPERTIES;
  const topicFilters: string[] = [];
  while (reader.left > 0) topicFilters.push(readFilter(reader));
  if (topicFilters.length === 0 && version !== 3) throw malformed(); // [MQTT-3.10.3-2]
  return { packetId, properties, topicFilters };
}

export function encodeUnsubscribe(packet: Unsubscribe, version: ProtocolVersion): Buffer {
  const body = new ByteWriter().uint16(packet.packetId);
  if (version === 5) writeProperties(body, packet.properties);
  for (const filter of packet.topicFilters) body.string(filter);
  return packetBytes((packetTypes.unsubscribe << 4) | 2, body);
}
