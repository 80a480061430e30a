/** PINGREQ and PINGRESP (MQTT 5, 3.12 and 3.13): a first byte and an empty body. */
import { malformed, PacketError } from '../packet-error.ts';
import { packetTypes, type ProtocolVersion } from '../packet-types.ts';
import { reasonCodes } from '../reason-codes.ts';

export const PINGREQ = Buffer.from([packetTypes.pingreq << 4, 0]);
export const PINGRESP = Buffer.from([packetTypes.pingresp << 4, 0]);

/** A body is malformed and closed without a packet in every version (docs/compat/packets.md, 4). */
export function checkPing(first: number, start: number, end: number, version: ProtocolVersion): void {
  if (end > start) throw new PacketError(reasonCodes.malformedPacket, '', { kind: 'close' });
  if ((first & 0x0f) !== 0 && version !== 3) throw malformed();
}
