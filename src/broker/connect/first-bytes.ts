/**
 * What a peer that never became a client probably was. Nobody should have to guess from `<unknown>`: what arrived first
 * tells nearly always.
 */
import { escapedBytes, type LogCode } from '../../base/mod.ts';
import type { Connection } from '../connection.ts';
import type { Ending } from '../endings.ts';

/** What the operator is told of a stranger, beside how the connection ended. */
type Stranger = Pick<Ending, 'code' | 'explanation' | 'bytes'>;

/** The connection was closed, or its time was over, before there was a whole CONNECT. */
export function explainSilence(connection: Connection, end: 'closed' | 'timeout'): Stranger {
  const { bytesSeen, reader } = connection;
  const who = placeOf(connection);
  if (bytesSeen > 0) {
    const bytes = escapedBytes(reader.unread);
    const began = bytes === '' ? '' : `, beginning with "${bytes}"`;
    const explanation = `  ${who} sent ${bytesSeen} bytes that are not a whole CONNECT packet${began}.`;
    return { code: 'connection.no-connect', bytes, explanation };
  }
  const explanation =
    end === 'timeout'
      ? `  ${who} connected and sent nothing: a port scan, or a client that expects TLS here or no TLS.`
      : `  ${who} connected and closed without sending anything: a health check or a port scan.`;
  return { code: 'connection.silent', explanation };
}

/** The first packet is no CONNECT, or not one that can be read. */
export function explainStrange(connection: Connection): Stranger {
  const { reader, peer } = connection;
  const { unread } = reader;
  const bytes = escapedBytes(unread);
  const tongue = tongues.find(row => row.matches(unread));
  if (tongue !== undefined) {
    const { code, sent, remedy } = tongue;
    const place = `${peer.address}:${peer.port} sent ${sent} to ${peer.listener.name}, which speaks MQTT`;
    return {
      code,
      bytes,
      explanation: `  ${code === TLS ? `${peer.listener.name} speaks plain MQTT` : place}: ${remedy}`,
    };
  }
  if (unread[0]! >> 4 === CONNECT || bytes === '') return { code: 'connection.bad-packet', bytes };
  const explanation = `  ${placeOf(connection)} began with "${bytes}", which is not MQTT: a port scan, or a device set to another protocol.`;
  return { code: 'connection.not-mqtt', bytes, explanation };
}

function placeOf({ peer }: Connection): string {
  return `${peer.address}:${peer.port} on ${peer.listener.name}`;
}

const CONNECT = 1;
const TLS = 'connection.tls-on-plain-port';

/** A TLS record (22, version 3.x); as MQTT it would be a CONNECT of three bytes, which there is not. */
export function looksLikeTls(bytes: Buffer): boolean {
  return bytes[0] === 0x16 && bytes[1] === 3;
}

interface Tongue {
  code: LogCode;
  matches: (bytes: Buffer) => boolean;
  sent: string;
  remedy: string;
}

const begins = (pattern: RegExp) => (bytes: Buffer) => pattern.test(bytes.toString('latin1', 0, HEAD_BYTES));
/** A request for a WebSocket says so among its first headers. */
const HEAD_BYTES = 2048;

/** The first row that matches counts. */
const tongues: readonly Tongue[] = [
  {
    code: TLS,
    matches: looksLikeTls,
    sent: 'a TLS handshake',
    remedy: 'connect to a TLS listener, or give this one certfile and keyfile.',
  },
  {
    code: 'connection.websocket-on-mqtt-port',
    matches: begins(/^GET [^]*\nupgrade:\s*websocket/i),
    sent: 'a WebSocket request',
    remedy: 'connect to a listener with protocol websockets, or use mqtt:// instead of ws://.',
  },
  {
    code: 'connection.http-on-mqtt-port',
    matches: begins(/^(GET|POST|HEAD|PUT|OPTIONS|DELETE|CONNECT|PRI) /),
    sent: 'an HTTP request',
    remedy:
      'a browser, a health check by HTTP or a scan; health checks are answered by a listener with protocol http_api.',
  },
  {
    code: 'connection.ssh-on-mqtt-port',
    matches: begins(/^SSH-/),
    sent: 'the greeting of an SSH client',
    remedy: 'look at the port its user has set, or take it for a scan.',
  },
  {
    code: 'connection.proxy-on-mqtt-port',
    matches: begins(/^(PROXY |\r\n\r\n\0\r\nQ)/),
    sent: 'a PROXY protocol header',
    remedy: 'set enable_proxy_protocol on this listener, or let the proxy send none.',
  },
];
