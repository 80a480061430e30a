/** CONNACK (MQTT 5, 3.2). */
import { ByteReader } from '../byte-reader.ts';
import { ByteWriter, packetBytes } from '../byte-writer.ts';
import { malformed } from '../packet-error.ts';
import { packetTypes, type ProtocolVersion } from '../packet-types.ts';
import { NO_PROPERTIES, type Properties, readProperties, writeProperties } from '../properties.ts';

export interface Connack {
  sessionPresent: boolean;
  /** A return code in 3.x, a reason code in 5. */
  reasonCode: number;
  properties: Readonly<Properties>;
}

export function readConnack(
  bytes: Buffer,
  first: number,
  start: number,
  end: number,
  version: ProtocolVersion,
): Connack {
  if ((first & 0x0f) !== 0) throw malformed();
  const reader = new ByteReader(bytes, start, end);
  const flags = reader.byte();
  if (flags > 1) throw malformed(); // [MQTT-3.2.2-1]
  const reasonCode = reader.byte();
  // A server that does not speak 5 answers a 5 client in its own, shorter form.
  const properties = version === 5 && reader.left > 0 ? readProperties(reader, 'connack') : NO_PROPERTIES;
  if (reader.left > 0) throw malformed();
  return { sessionPresent: flags === 1, reasonCode, properties };
}

/** What nearly every client of 3.x is told: four bytes that are the same each time. */
const ACCEPTED = Buffer.from([packetTypes.connack << 4, 2, 0, 0]);
const RESUMED = Buffer.from([packetTypes.connack << 4, 2, 1, 0]);

/** The bytes may be those of other packets, too. */
export function encodeConnack(packet: Connack, version: ProtocolVersion): Buffer {
  const resumed = packet.sessionPresent && version !== 3;
  if (version !== 5 && packet.reasonCode === 0) return resumed ? RESUMED : ACCEPTED;
  const body = new ByteWriter().byte(resumed ? 1 : 0).byte(packet.reasonCode);
  if (version === 5) writeProperties(body, packet.properties);
  return packetBytes(packetTypes.connack << 4, body);
}
