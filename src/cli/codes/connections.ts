/** Pages: what happens to a connection before it is a client. */
import type { Chapter } from './page.ts';

export const connectionCodes = {
  'connection.opened': ['Somebody connected. Who it is comes with the next line.', ''],
  'connection.limit': [
    'max_connections, global_max_connections or max_pending_connections is reached; the connection was closed before a byte of it was read.',
    'Raise the limit if these are your clients; `zancudo clients` shows who they are.',
  ],
  'connection.rate': [
    'One address opens more connections a second than max_connection_rate allows.',
    'A client in a reconnect loop, or an attack. ban_exempt exempts a gateway with many devices behind it.',
  ],
  'connection.banned': [
    'So many logins from an address failed that it is closed for a while.',
    '`zancudo bans lift ADDRESS` lets it in at once. Somebody tries passwords, or a device has the wrong one.',
  ],
  'connection.bans-full': [
    'So many addresses are banned that the oldest ban ends early for each new one.',
    'So many sources at once are better kept out by a firewall.',
  ],
  'connection.bans-not-kept': [
    'The file that keeps bans over a restart cannot be read or written; bans in force stay so.',
    'Do what the line says; the folder has to belong to the user the broker runs as.',
  ],
  'connection.silent': [
    'A connection that sent nothing: closed at once it is a health check or a port scan; open until the time was over it is a client that waits for the server, such as one that expects TLS here or no TLS.',
    'Nothing, if you know the address. Health checks can ask /healthz on a listener with protocol http_api instead.',
  ],
  'connection.broken-off': [
    'The connection ended, or its time was over, in the middle of a PROXY header, a TLS handshake or a WebSocket request.',
    'A slow network, a scan, or a client that gave up: look at its own log.',
  ],
  'connection.no-connect': [
    'Bytes came, and never a whole CONNECT packet: the client broke off, or speaks something else.',
    'The first bytes are in the line. Look at what the client is set to.',
  ],
  'connection.tls-on-plain-port': [
    'A client speaks TLS to a port without TLS.',
    'Let it connect to the TLS port (usually 8883), or give this listener certfile and keyfile.',
  ],
  'connection.http-on-mqtt-port': [
    'An HTTP request to an MQTT port: a browser, a health check by HTTP, a scan.',
    'HTTP is answered by a listener with protocol http_api; browsers speak MQTT by protocol websockets.',
  ],
  'connection.websocket-on-mqtt-port': [
    'A client speaks MQTT over WebSocket to a port for plain MQTT.',
    'Give it a listener with protocol websockets, or mqtt:// instead of ws://.',
  ],
  'connection.ssh-on-mqtt-port': [
    'An SSH client came to an MQTT port: a wrong port number, or a scan.',
    'Nothing, if it is a scan.',
  ],
  'connection.proxy-on-mqtt-port': [
    'A proxy sends the PROXY protocol to a listener that does not expect it.',
    'Set enable_proxy_protocol on the listener, or let the proxy send none.',
  ],
  'connection.not-mqtt': [
    'The first bytes are neither MQTT nor anything else that is known here: a scan, or a device set to another protocol.',
    'The bytes are in the line. Look at what the device is meant to speak.',
  ],
  'connection.bad-packet': [
    'A CONNECT that breaks the rules of MQTT; the line `Protocol error` says which.',
    "Update the client's library.",
  ],

  'proxy.accepted': ['What a PROXY header told of the TLS connection at the proxy.', ''],
  'proxy.bad-header': [
    'The listener expects a PROXY header, and what came is none, or one of the other version.',
    'Only a proxy may connect here. Compare its setting (send-proxy, send-proxy-v2, proxy_protocol) with enable_proxy_protocol.',
  ],
  'proxy.no-tls': [
    'The PROXY header says nothing of TLS, which this listener requires.',
    'Let the proxy send it: HAProxy send-proxy-v2-ssl-cn.',
  ],
  'proxy.no-certificate': [
    'require_certificate is set, and the proxy reports no verified client certificate.',
    'Let the proxy demand one (HAProxy: verify required) and send it (send-proxy-v2-ssl-cn).',
  ],

  'websocket.not-http': ['What came to a WebSocket port is no HTTP request.', 'Connect by ws:// or wss://.'],
  'websocket.browser': [
    "An ordinary page was asked for, as from a browser's address bar.",
    'There are no pages on this port; http_dir serves some on a listener with protocol http_api.',
  ],
  'websocket.no-upgrade': [
    'The request does not ask for a WebSocket: usually a proxy in between has taken that out.',
    'nginx: proxy_http_version 1.1, proxy_set_header Upgrade $http_upgrade, proxy_set_header Connection "upgrade".',
  ],
  'websocket.no-key': ['The request has no Sec-WebSocket-Key.', 'Use a WebSocket client of RFC 6455.'],
  'websocket.no-subprotocol': [
    'The request does not name the subprotocol mqtt.',
    "new WebSocket(url, 'mqtt'); libraries for MQTT do that by themselves.",
  ],
  'websocket.version': ['The client speaks another version of the protocol than 13.', 'Update it.'],
  'websocket.origin': ['A page of this origin may not connect here.', 'Add it as websockets_origin if it may.'],
  'websocket.request-too-long': [
    'The HTTP request is longer than packet_buffer_size.',
    'Raise packet_buffer_size if cookies or tokens need the room.',
  ],
  'websocket.early-bytes': [
    'The client sent on before its request was answered.',
    'It has to wait for the answer (RFC 6455, 4.1).',
  ],
} satisfies Chapter;
