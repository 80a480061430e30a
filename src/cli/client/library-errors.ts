/** Our errors under the numbers and in the words that libmosquitto has for them: exit codes and lines of the tools. */
import type { ClientError, ErrorKind } from '../../client/mod.ts';
import { systemWords } from '../system-words.ts';

interface LibraryError {
  number: number;
  text: string;
}

const protocol: LibraryError = {
  number: 2,
  text: 'A network protocol error occurred when communicating with the broker',
};

const byKind: Record<ErrorKind, LibraryError> = {
  lookup: { number: 15, text: 'Lookup error' },
  socket: { number: 14, text: 'Connection refused' },
  tls: { number: 8, text: 'A TLS error occurred' },
  proxy: { number: 16, text: 'Proxy error' },
  websocket: protocol,
  refused: { number: 5, text: 'The connection was refused' },
  lost: { number: 7, text: 'The connection was lost' },
  disconnected: { number: 7, text: 'The connection was lost' },
  'keep-alive': { number: 19, text: 'Keepalive exceeded' },
  timeout: { number: 14, text: 'Connection timed out' },
  protocol,
  authentication: { number: 11, text: 'Authorisation failed' },
  oversize: { number: 25, text: 'Packet larger than supported by the server' },
  'not-connected': { number: 4, text: 'The client is not currently connected' },
  'queue-full': { number: 1, text: 'Out of memory' },
  invalid: { number: 3, text: 'Invalid input' },
};

export function libraryError(error: ClientError): LibraryError {
  return byKind[error.kind];
}

const words: Record<string, string> = {
  ECONNREFUSED: 'Connection refused',
  ECONNRESET: 'Connection reset by peer',
  EHOSTUNREACH: 'No route to host',
  ENETUNREACH: 'Network is unreachable',
  ETIMEDOUT: 'Connection timed out',
  EADDRNOTAVAIL: 'Cannot assign requested address',
};

/** The line for a connection that did not come about. */
export function notConnectedLine(error: ClientError): string {
  const isSystem = error.kind === 'socket' || error.kind === 'timeout';
  if (!isSystem) return `Unable to connect (${libraryError(error).text}).`;
  const { systemCode = '' } = error;
  return `Error: ${words[systemCode] ?? systemWords({ code: systemCode, message: libraryError(error).text })}`;
}
