/** SUBACK and UNSUBACK (MQTT 5, 3.9 and 3.11): one code per filter, in the order of the request. */
import { ByteReader } from '../byte-reader.ts';
import { ByteWriter, packetBytes } from '../byte-writer.ts';
import { malformed } from '../packet-error.ts';
import { packetTypes, type ProtocolVersion } from '../packet-types.ts';
import { NO_PROPERTIES, type Properties, readProperties, writeProperties } from '../properties.ts';

export interface Suback {
  packetId: number;
  properties: Readonly<Properties>;
  /** Empty in a 3.x UNSUBACK, which has no codes. */
  reasonCodes: number[];
}

export function readSuback(
  name: 'suback' | 'unsuback',
  bytes: Buffer,
  first: number,
  start: number,
  end: number,
  version: ProtocolVersion,
): Suback {
  if ((first & 0x0f) !== 0) throw malformed();
  const reader = new ByteReader(bytes, start, end);
  const packetId = reader.uint16();
  const properties = version === 5 ? readProperties(reader, name) : NO_PROPERTIES;
  if (name === 'unsuback' && version !== 5 && reader.left > 0) throw malformed();
  return { packetId, properties, reasonCodes: [...reader.rest()] };
}

export function encodeSuback(name: 'suback' | 'unsuback', packet: Suback, version: ProtocolVersion): Buffer {
  const body = new ByteWriter().uint16(packet.packetId);
  if (version === 5) writeProperties(body, packet.properties);
  if (version === 5 || name === 'suback') for (const code of packet.reasonCodes) body.byte(code);
  return packetBytes(packetTypes[name] << 4, body);
}
