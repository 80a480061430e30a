/** What a peer speaks, from the first bytes it sends. One byte is enough to tell them apart. */
export type Tongue = 'tls' | 'mqtt' | 'http' | 'unknown';

/** Content type of a TLS handshake record, as every ClientHello since SSL 3 begins. */
const TLS_HANDSHAKE = 0x16;
/** Fixed header of CONNECT, which MQTT always begins with. */
const MQTT_CONNECT = 0x10;
const HTTP_METHODS = ['GET ', 'POST', 'HEAD', 'PUT ', 'OPTI', 'DELE', 'PATC', 'CONN', 'TRAC', 'PRI '];

export function recognise(bytes: Buffer): Tongue {
  if (bytes[0] === TLS_HANDSHAKE) return 'tls';
  if (bytes[0] === MQTT_CONNECT) return 'mqtt';
  const start = bytes.toString('latin1', 0, 4);
  return start !== '' && HTTP_METHODS.some(method => method.startsWith(start)) ? 'http' : 'unknown';
}
