/**
 * The first bytes of a stranger, for a line of the log: `"GET / HTTP/1.1\r\n..."`. Printable ASCII as it is, the rest as
 * numbers; so few that a user name or a password behind a CONNECT's header is not among them.
 */
const SHOWN_BYTES = 16;
/** Fixed header, protocol name and version, flags and keep alive; what follows is the client's own. */
const CONNECT_HEADER_BYTES = 12;
const CONNECT = 0x10;

export function escapedBytes(bytes: Buffer): string {
  const length = bytes[0] === CONNECT ? CONNECT_HEADER_BYTES : SHOWN_BYTES;
  const shown = bytes.toString('latin1', 0, length).replace(/[^\x20-\x7e]|["\\]/g, escaped);
  return bytes.length > length ? `${shown}...` : shown;
}

const short: Record<string, string> = { '\r': '\\r', '\n': '\\n', '"': '\\"', '\\': '\\\\' };

function escaped(character: string): string {
  return short[character] ?? `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
}
