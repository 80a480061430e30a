/**
 * The HTTP request that turns a connection into a WebSocket (RFC 6455, 4.2), and the answer to it. Pure: the header
 * block in, the answer or the reason for refusing out. A refused peer gets no HTTP answer; the listener closes.
 */
import { createHash } from 'node:crypto';

export interface UpgradeRules {
  /** Subprotocols we speak, as the client must write them. */
  subprotocols: readonly string[];
  /** Allowed values of Origin; empty for any. A request without Origin does not come from a browser and passes. */
  origins: readonly string[];
}

export type UpgradeFault = 'not-http' | 'browser' | 'no-upgrade' | 'no-key' | 'no-subprotocol' | 'version' | 'origin';

export type Upgrade =
  { kind: 'accepted'; answer: Buffer; subprotocol: string } | { kind: 'refused'; fault: UpgradeFault; saw: string };

/** RFC 6455, 1.3. */
const ACCEPT_SALT = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** The header block with its closing blank line. */
export function answerUpgrade(block: Buffer, rules: UpgradeRules): Upgrade {
  const request = readRequest(block);
  if (request === null) return refused('not-http', block.toString('latin1', 0, 40));
  const found = firstFault(request, rules);
  if (found !== null) return found;
  const offered = list(request.get('sec-websocket-protocol'));
  const subprotocol = offered.find(name => rules.subprotocols.includes(name));
  if (subprotocol === undefined) return refused('no-subprotocol', offered.join(', '));
  const key = request.get('sec-websocket-key')!;
  return { kind: 'accepted', answer: answer(key, subprotocol), subprotocol };
}

function firstFault(request: Map<string, string>, rules: UpgradeRules): Upgrade | null {
  const upgrade = list(request.get('upgrade')).map(lower);
  const connection = list(request.get('connection')).map(lower);
  if (upgrade.length === 0 && !request.has('sec-websocket-key')) return refused('browser', request.get(':line')!);
  if (!upgrade.includes('websocket')) return refused('no-upgrade', `Upgrade: ${upgrade.join(', ')}`);
  if (!connection.includes('upgrade')) return refused('no-upgrade', `Connection: ${connection.join(', ')}`);
  const key = request.get('sec-websocket-key') ?? '';
  if (key === '') return refused('no-key', 'no Sec-WebSocket-Key');
  const version = request.get('sec-websocket-version') ?? '13';
  if (version !== '13') return refused('version', version);
  const origin = request.get('origin');
  if (origin !== undefined && rules.origins.length > 0 && !rules.origins.includes(origin)) {
    return refused('origin', origin);
  }
  return null;
}

/** Header names in lower case; repeated headers are joined as lists. The request line stands under `:line`. */
function readRequest(block: Buffer): Map<string, string> | null {
  const lines = block.toString('latin1').split('\r\n');
  const line = lines[0]!;
  if (!/^(GET|HEAD) \S+ HTTP\/[0-9.]+$/.test(line)) return null;
  const headers = new Map<string, string>([[':line', line]]);
  for (const text of lines.slice(1, -2)) {
    const colon = text.indexOf(':');
    if (colon < 1) return null;
    const name = text.slice(0, colon).toLowerCase();
    const value = text.slice(colon + 1).trim();
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return headers;
}

function answer(key: string, subprotocol: string): Buffer {
  const accept = createHash('sha1')
    .update(key + ACCEPT_SALT)
    .digest('base64');
  const lines = [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: WebSocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${accept}`,
    `Sec-WebSocket-Protocol: ${subprotocol}`,
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}

function list(value: string | undefined): string[] {
  if (value === undefined) return [];
  return value.split(',').flatMap(item => item.trim() || []);
}

function lower(text: string): string {
  return text.toLowerCase();
}

function refused(fault: UpgradeFault, saw: string): Upgrade {
  return { kind: 'refused', fault, saw };
}
