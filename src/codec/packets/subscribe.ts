/** SUBSCRIBE (MQTT 5, 3.8): which topics, how, and under which identifier. */
import { ByteReader } from '../byte-reader.ts';
import { ByteWriter, packetBytes } from '../byte-writer.ts';
import { malformed, PacketError } from '../packet-error.ts';
import { packetTypes, type ProtocolVersion } from '../packet-types.ts';
import { NO_PROPERTIES, type Properties, readProperties, writeProperties } from '../properties.ts';
import { reasonCodes } from '../reason-codes.ts';

export interface SubscribeItem {
  /** As the client wrote it, `$share/...` included; valid UTF-8, otherwise unchecked. */
  topicFilter: string;
  qos: 0 | 1 | 2;
  noLocal: boolean;
  retainAsPublished: boolean;
  /** 0 always, 1 only for a new subscription, 2 never. */
  retainHandling: 0 | 1 | 2;
}

export interface Subscribe {
  packetId: number;
  properties: Readonly<Properties>;
  items: SubscribeItem[];
}

export function readSubscribe(
  bytes: Buffer,
  first: number,
  start: number,
  end: number,
  version: ProtocolVersion,
): Subscribe {
  const reader = new ByteReader(bytes, start, end);
  checkHead(first, version);
  const packetId = reader.uint16();
  if (packetId === 0) throw malformed('SUBSCRIBE packet with mid = 0.'); // Mosquitto answers 0x81 here
  const properties = version === 5 ? readProperties(reader, 'subscribe') : NO_PROPERTIES;
  const items: SubscribeItem[] = [];
  while (reader.left > 0) items.push(readItem(reader, version));
  if (items.length === 0 && version !== 3) throw malformed(); // [MQTT-3.8.3-2]
  return { packetId, properties, items };
}

/** Bits 3-0 must be 0010 [MQTT-3.8.1-1]; 3.1 used the others for QoS and DUP. */
export function checkHead(first: number, version: ProtocolVersion): void {
  if ((first & 0x0f) !== 2 && version !== 3) throw malformed();
}

function readItem(reader: ByteReader, version: ProtocolVersion): SubscribeItem {
  const topicFilter = readFilter(reader);
  const options = reader.byte();
  const qos = options & 3;
  const retainHandling = (options >> 4) & 3;
  const reserved = version === 5 ? options & 0xc0 : options & 0xfc;
  if (qos === 3) throw malformed('Invalid QoS in subscription command from %a, disconnecting.'); // [MQTT-3.8.3-4]
  if (reserved !== 0 || retainHandling === 3) throw malformed(); // [MQTT-3.8.3-5]
  return {
    topicFilter,
    qos: qos as 0 | 1 | 2,
    noLocal: (options & 4) !== 0,
    retainAsPublished: (options & 8) !== 0,
    retainHandling: retainHandling as 0 | 1 | 2,
  };
}

/** A filter that is not UTF-8 is a malformed packet, told to the client as such (docs/compat/packets.md, 7). */
export function readFilter(reader: ByteReader): string {
  try {
    return reader.string();
  } catch (error) {
    if (error instanceof PacketError && error.answer.kind === 'close') {
      throw new PacketError(reasonCodes.malformedPacket);
    }
    throw error;
  }
}

export function encodeSubscribe(packet: Subscribe, version: ProtocolVersion): Buffer {
  const body = new ByteWriter().uint16(packet.packetId);
  if (version === 5) writeProperties(body, packet.properties);
  for (const item of packet.items) {
    const options = (item.noLocal ? 4 : 0) | (item.retainAsPublished ? 8 : 0) | (item.retainHandling << 4);
    body.string(item.topicFilter).byte(version === 5 ? item.qos | options : item.qos);
  }
  return packetBytes((packetTypes.subscribe << 4) | 2, body);
}
