import type { Connection } from '../connection.ts';

/**
 * What a peer that never said CONNECT probably was. Nobody should have to guess from `<unknown>`
 * (what arrived first tells nearly always).
 */
export function explainFirstBytes(connection: Connection, end: 'closed' | 'timeout'): string {
  const { peer, bytesSeen } = connection;
  const who = `${peer.address}:${peer.port} on ${peer.listener.name}`;
  if (bytesSeen > 0) return `  ${who} sent ${bytesSeen} bytes that are not a whole CONNECT packet.`;
  if (end === 'timeout')
    return `  ${who} connected and sent nothing: a port scan, or a client that expects TLS here or no TLS.`;
  return `  ${who} connected and closed without sending anything: a health check or a port scan.`;
}

/** A TLS record (22, version 3.x); as MQTT it would be a CONNECT of three bytes, which there is not. */
export function looksLikeTls(bytes: Buffer): boolean {
  return bytes[0] === 0x16 && bytes[1] === 3;
}

/** Names what the first byte of a stream that is not MQTT looks like; null when it could be anything. */
export function nameFirstBytes(bytes: Buffer): string | null {
  const text = bytes.toString('latin1', 0, 8);
  if (/^(GET|POST|HEAD|PUT|OPTIONS|DELETE|CONNECT|PRI) /.test(text)) return 'an HTTP request';
  if (text.startsWith('SSH-')) return 'an SSH client';
  if (text.startsWith('PROXY ') || text.startsWith('\r\n\r\n\0\r\nQ')) return 'a PROXY protocol header';
  return null;
}
