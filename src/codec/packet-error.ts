import { type ReasonCode, reasonCodes } from './reason-codes.ts';

/** What the peer of a bad packet is told. Only CONNECT can be answered with a CONNACK. */
export type Answer =
  /** MQTT 5: DISCONNECT with the reason code; 3.x has no such packet, the link is closed. */
  | { kind: 'disconnect' }
  /** The link is closed without a word, in every version. */
  | { kind: 'close' }
  /** CONNACK with a 3.x return code. */
  | { kind: 'connack-v3'; returnCode: number }
  /** CONNACK in MQTT 5 format with the reason code. */
  | { kind: 'connack-v5' };

/**
 * A packet that breaks the specification. It ends the connection of its sender and touches nobody else.
 * It is not an Error: a million of them an hour must not cost a million stack traces.
 */
export class PacketError {
  readonly reasonCode: ReasonCode;
  readonly answer: Answer;
  /**
   * For the line `Protocol error from <client>: <text>`; empty when that line says nothing more. With `%c` (client) or
   * `%a` (address) in it, it is a line of its own.
   */
  readonly text: string;
  /** What stands behind `disconnected: `, where it is not the reason code's usual phrase. */
  readonly ending: string | null;

  constructor(
    reasonCode: ReasonCode,
    text = '',
    answer: Answer = { kind: 'disconnect' },
    ending: string | null = null,
  ) {
    this.reasonCode = reasonCode;
    this.answer = answer;
    this.text = text;
    this.ending = ending;
  }
}

export function malformed(text = ''): PacketError {
  return new PacketError(reasonCodes.malformedPacket, text);
}

export function protocolError(text = ''): PacketError {
  return new PacketError(reasonCodes.protocolError, text);
}

/** Invalid UTF-8 outside of a CONNECT: the link is closed without a packet (docs/compat/packets.md, 4). */
export function malformedUtf8(): PacketError {
  return new PacketError(reasonCodes.malformedPacket, '', { kind: 'close' }, 'bad socket read/write: Malformed UTF-8');
}
