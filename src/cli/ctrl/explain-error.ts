/** A ClientError as mosquitto_ctrl tells it, then what it means and what to do. */
import type { ClientError, ErrorKind } from '../../client/mod.ts';
import { libraryError, notConnectedLine } from '../client/library-errors.ts';
import { exitCodes } from './exit-codes.ts';

export interface Explained {
  exitCode: number;
  lines: string[];
}

export function explainError(error: ClientError, connackName: (code: number) => string): Explained {
  const remedy = [error.message, ...error.remedy].map(line => `  ${line}`);
  if (error.kind === 'refused') {
    const name = connackName(error.reasonCode ?? 0x80);
    const tryOlder = error.reasonCode === 0x84 ? '. Try connecting to an MQTT v5 broker, or use MQTT v3.x mode.' : '';
    // A refusal is an answer, and every answer ends mosquitto_ctrl with 0.
    return { exitCode: exitCodes.ok, lines: [`Connection error: ${name}${tryOlder}`, ...remedy] };
  }
  const { number, text } = libraryError(error);
  if (error.kind === 'invalid')
    return { exitCode: exitCodes.usage, lines: [`Error: ${error.message}`, ...remedy.slice(1)] };
  const line = afterConnecting.includes(error.kind) ? `Error: ${text}` : notConnectedLine(error);
  return { exitCode: number, lines: [line, ...remedy] };
}

const afterConnecting: readonly ErrorKind[] = ['lost', 'disconnected', 'keep-alive', 'protocol', 'not-connected'];
