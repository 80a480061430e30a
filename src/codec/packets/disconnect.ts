/** DISCONNECT (MQTT 5, 3.14): sent by clients in every version, by servers in 5 only. */
import { ByteReader } from '../byte-reader.ts';
import { ByteWriter, packetBytes } from '../byte-writer.ts';
import { malformed, PacketError } from '../packet-error.ts';
import { packetTypes, type ProtocolVersion } from '../packet-types.ts';
import { NO_PROPERTIES, type Properties, readProperties, writeProperties } from '../properties.ts';
import { reasonCodes } from '../reason-codes.ts';

export interface Disconnect {
  reasonCode: number;
  properties: Readonly<Properties>;
}

export function readDisconnect(
  bytes: Buffer,
  first: number,
  start: number,
  end: number,
  version: ProtocolVersion,
): Disconnect {
  if (version !== 5) {
    if (end > start) throw new PacketError(reasonCodes.malformedPacket, '', { kind: 'close' });
    if ((first & 0x0f) !== 0 && version === 4) throw malformed();
    return { reasonCode: 0, properties: NO_PROPERTIES };
  }
  if ((first & 0x0f) !== 0) throw malformed(); // [MQTT-3.14.1-1]
  const reader = new ByteReader(bytes, start, end);
  if (reader.left === 0) return { reasonCode: 0, properties: NO_PROPERTIES };
  const reasonCode = reader.byte();
  const properties = reader.left === 0 ? NO_PROPERTIES : readProperties(reader, 'disconnect');
  if (reader.left > 0) throw malformed();
  return { reasonCode, properties };
}

export function encodeDisconnect(packet: Disconnect, version: ProtocolVersion): Buffer {
  const body = new ByteWriter();
  const hasProperties = Object.keys(packet.properties).length > 0;
  if (version === 5 && (packet.reasonCode !== 0 || hasProperties)) {
    body.byte(packet.reasonCode);
    if (hasProperties) writeProperties(body, packet.properties);
  }
  return packetBytes(packetTypes.disconnect << 4, body);
}
