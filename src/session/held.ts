/**
 * How many distinct messages sessions hold, and their payload bytes, counted where they come and go: a walk over a
 * million sessions for each round of $SYS topics stood in everybody's way for 0.3 s.
 *
 *   queue A  [ m1 m2 ]       holders: m1 2, m2 1, m3 1      held: 3 messages
 *   queue B  [ m1 ]                                         what is on the disk alone counts for each client it waits for
 *   in flight to B [ m3 ]
 */
import type { Message } from './message.ts';

export interface Held {
  messages: number;
  bytes: number;
}

export function hold(held: Held, message: Message): void {
  if (message.holders++ > 0) return;
  held.messages++;
  held.bytes += message.payloadLength;
}

export function release(held: Held, message: Message): void {
  if (--message.holders > 0) return;
  held.messages--;
  held.bytes -= message.payloadLength;
}
