/** AUTH (MQTT 5, 3.15): one step of enhanced authentication. */
import { ByteReader } from '../byte-reader.ts';
import { ByteWriter, packetBytes } from '../byte-writer.ts';
import { malformed, protocolError } from '../packet-error.ts';
import { packetTypes } from '../packet-types.ts';
import { NO_PROPERTIES, type Properties, readProperties, writeProperties } from '../properties.ts';
import { reasonCodes } from '../reason-codes.ts';

export interface Auth {
  reasonCode: number;
  properties: Readonly<Properties>;
}

const allowed: readonly number[] = [
  reasonCodes.success,
  reasonCodes.continueAuthentication,
  reasonCodes.reAuthenticate,
];

export function readAuth(bytes: Buffer, first: number, start: number, end: number): Auth {
  if ((first & 0x0f) !== 0) throw malformed(); // [MQTT-3.15.1-1]
  const reader = new ByteReader(bytes, start, end);
  if (reader.left === 0) return { reasonCode: 0, properties: NO_PROPERTIES };
  const reasonCode = reader.byte();
  if (!allowed.includes(reasonCode)) throw protocolError();
  const properties = reader.left === 0 ? NO_PROPERTIES : readProperties(reader, 'auth');
  if (reader.left > 0) throw malformed();
  return { reasonCode, properties };
}

export function encodeAuth(packet: Auth): Buffer {
  const body = new ByteWriter();
  const hasProperties = Object.keys(packet.properties).length > 0;
  if (packet.reasonCode !== 0 || hasProperties) {
    body.byte(packet.reasonCode);
    writeProperties(body, packet.properties);
  }
  return packetBytes(packetTypes.auth << 4, body);
}
