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

/** Names what the first byte of a stream that is not MQTT looks like; null when it could be anything. */
export function nameFirstBytes(bytes: Buffer, start: number): string | null {
  const text = bytes.toString('latin1', start, start + 8);
  if (/^(GET|POST|HEAD|PUT|OPTIONS|DELETE|CONNECT|PRI) /.test(text)) return 'an HTTP request';
  if (text.startsWith('SSH-')) return 'an SSH client';
  if (text.startsWith('PROXY ') || text.startsWith('\r\n\r\n\0\r\nQ')) return 'a PROXY protocol header';
  return null;
}
