/** A ClientError as mosquitto_ctrl tells it, then what it means and what to do. */
import type { ClientError, ErrorKind } from '../../client/mod.ts';
import { systemWords } from '../system-words.ts';
import { exitCodes } from './exit-codes.ts';

export interface Explained {
  exitCode: number;
  lines: string[];
}

const libraryTexts: Partial<Record<ErrorKind, { text: string; exitCode: number }>> = {
  lookup: { text: 'Unable to connect (Lookup error).', exitCode: exitCodes.lookup },
  tls: { text: 'Unable to connect (A TLS error occurred).', exitCode: exitCodes.tls },
  proxy: { text: 'Unable to connect (Proxy error).', exitCode: exitCodes.proxy },
  lost: { text: 'Error: The connection was lost', exitCode: exitCodes.lost },
  disconnected: { text: 'Error: The connection was lost', exitCode: exitCodes.lost },
  'keep-alive': { text: 'Error: The connection was lost', exitCode: exitCodes.lost },
};

export function explainError(error: ClientError, connackName: (code: number) => string): Explained {
  const remedy = [error.message, ...error.remedy].map(line => `  ${line}`);
  if (error.kind === 'refused') {
    const name = connackName(error.reasonCode ?? 0x80);
    const tryOlder = error.reasonCode === 0x84 ? '. Try connecting to an MQTT v5 broker, or use MQTT v3.x mode.' : '';
    // A refusal is an answer, and every answer ends mosquitto_ctrl with 0.
    return { exitCode: exitCodes.ok, lines: [`Connection error: ${name}${tryOlder}`, ...remedy] };
  }
  const known = libraryTexts[error.kind];
  if (known !== undefined) return { exitCode: known.exitCode, lines: [known.text, ...remedy] };
  const words =
    error.systemCode === undefined ? error.message : systemWords({ code: error.systemCode, message: error.message });
  const rest = words === error.message ? remedy.slice(1) : remedy;
  const exitCode = error.kind === 'invalid' ? exitCodes.usage : exitCodes.system;
  return { exitCode, lines: [`Error: ${words}`, ...rest] };
}
