/** The payload of -m, -n, -f and -s; what cannot be read is told as Mosquitto's tools do. */
import { readFileSync } from 'node:fs';
import { systemWords } from '../system-words.ts';
import type { MessageSource } from './draft.ts';

/** The largest remaining length of MQTT, less the topic. */
const payloadBytesMax = 268_435_455;

/** Lines for standard error. */
export class PayloadFault extends Error {}

export function readPayload(source: Exclude<MessageSource, { kind: 'lines' }>): Buffer {
  if (source.kind === 'null') return Buffer.alloc(0);
  if (source.kind === 'text') return bounded(Buffer.from(source.text));
  return bounded(source.kind === 'file' ? readWhole(source.path, source.path) : readStdin());
}

function readStdin(): Buffer {
  const bytes = readWhole(0, 'standard input');
  if (bytes.length === 0) throw new PayloadFault('Error: Zero length input.');
  return bytes;
}

function readWhole(from: number | string, name: string): Buffer {
  try {
    return readFileSync(from);
  } catch (error) {
    const loading = typeof from === 'string' ? `\nError loading input file "${name}".` : '';
    throw new PayloadFault(`Error: Unable to open file "${name}": ${systemWords(error)}.${loading}`);
  }
}

function bounded(bytes: Buffer): Buffer {
  if (bytes.length <= payloadBytesMax) return bytes;
  throw new PayloadFault(`Error: Message length must be less than ${payloadBytesMax} bytes.`);
}
