/** Bytes to packets and back. Pure: no sockets, no sessions, no time. */
export { ByteReader } from './byte-reader.ts';
export { ByteWriter, varintLength, writeVarint } from './byte-writer.ts';
export { FrameReader, type FrameLimits, frameStatus } from './frame-reader.ts';
export { type Answer, malformed, malformedUtf8, PacketError, protocolError } from './packet-error.ts';
export { type PacketTypeName, packetTypes, type ProtocolVersion } from './packet-types.ts';
export {
  NO_PROPERTIES,
  type Properties,
  propertyTable,
  readOne as readProperty,
  writeProperties,
} from './properties.ts';
export { type ReasonCode, reasonCodes, returnCodes } from './reason-codes.ts';
export { isMqttUtf8, utf8Text } from './utf8.ts';
export {
  type Ack,
  type AckName,
  ackNameOf,
  ackNames,
  encodeAck,
  firstByteOf,
  readAck,
  shortAckId,
  writeAck,
} from './packets/ack.ts';
export { type Auth, encodeAuth, readAuth } from './packets/auth.ts';
export { type Connack, encodeConnack, readConnack } from './packets/connack.ts';
export { type Connect, encodeConnect, readConnect, type Will } from './packets/connect.ts';
export { type Disconnect, encodeDisconnect, readDisconnect } from './packets/disconnect.ts';
export { checkPing, PINGREQ, PINGRESP } from './packets/ping.ts';
export {
  encodePublish,
  hasValidTopicText,
  LARGEST_PACKET_BYTES,
  NO_BYTES,
  packetLength,
  type PublishParts,
  publishRemainingLength,
  PublishView,
  readPublish,
  writePublish,
} from './packets/publish.ts';
export { encodeSuback, readSuback, type Suback } from './packets/suback.ts';
export { encodeSubscribe, readSubscribe, type Subscribe, type SubscribeItem } from './packets/subscribe.ts';
export { encodeUnsubscribe, readUnsubscribe, type Unsubscribe } from './packets/unsubscribe.ts';
