/** The last step of an arrival on a listener with `protocol websockets`: the HTTP request that opens a WebSocket. */
import { SocketLink, WebSocketLink, answerUpgrade, type UpgradeFault } from '../transport/mod.ts';
import type { Arrival } from './arrival.ts';
import { recognise } from './first-bytes.ts';

/** Names registered for MQTT; any version of it may be spoken under either. */
const SUBPROTOCOLS = ['mqtt', 'mqttv3.1'];
const BLANK_LINE = '\r\n\r\n';

type Read = { kind: 'block'; block: Buffer } | { kind: 'tls' } | { kind: 'mqtt' } | { kind: 'long' } | { kind: 'more' };

export async function openWebSocket(arrival: Arrival): Promise<boolean> {
  arrival.phase = 'WebSocket';
  const bytesMax = arrival.listener.shared.options.limits.httpHeaderBytesMax;
  const read = await arrival.readAhead(bytes => readBlock(bytes, bytesMax));
  if (read === null) return arrival.gone('WebSocket request');
  if (read.kind !== 'block') return refuseOther(arrival, read, bytesMax);
  const rules = { subprotocols: SUBPROTOCOLS, origins: arrival.listener.settings.websocketOrigins };
  const upgrade = answerUpgrade(read.block, rules);
  if (upgrade.kind === 'refused') return refuseUpgrade(arrival, upgrade.fault, upgrade.saw);
  const inner = new SocketLink(arrival.socket, arrival.listener.shared.scheduler);
  inner.write(upgrade.answer, 0, upgrade.answer.length);
  arrival.handOverLink(new WebSocketLink(inner));
  return false;
}

function readBlock(bytes: Buffer, bytesMax: number): { value: Read; used: number } | null {
  const tongue = recognise(bytes);
  if (tongue === 'tls' || tongue === 'mqtt') return { value: { kind: tongue }, used: 0 };
  const end = bytes.subarray(0, bytesMax).indexOf(BLANK_LINE);
  if (end < 0) return bytes.length < bytesMax ? null : { value: { kind: 'long' }, used: 0 };
  const used = end + BLANK_LINE.length;
  // Nothing may follow: the client has to wait for the answer (RFC 6455, 4.1).
  if (used < bytes.length) return { value: { kind: 'more' }, used: 0 };
  return { value: { kind: 'block', block: bytes.subarray(0, used) }, used };
}

function refuseOther(arrival: Arrival, read: Exclude<Read, { kind: 'block' }>, bytesMax: number): false {
  const { meter, log } = arrival.listener.shared.options;
  meter.protocolErrors++;
  switch (read.kind) {
    case 'mqtt':
      arrival.explain(
        'listener.websocket-only',
        'plain MQTT on a WebSocket port.',
        'Connect to a listener with protocol mqtt, or use ws://.',
      );
      arrival.peer.refusal = { code: 'listener.websocket-only', reason: 'this port expects MQTT over WebSocket' };
      arrival.handOver();
      return false;
    case 'tls':
      log.write(
        'notice',
        `Client from ${arrival.peer.address}:${arrival.peer.port} appears to be using TLS to connect to a non-TLS listener.`,
        arrival.about('connection.tls-on-plain-port'),
      );
      return arrival.refuse(
        'connection.tls-on-plain-port',
        'protocol error.',
        'TLS on a WebSocket port without TLS.',
        'Use ws:// here, or give the listener certfile and keyfile.',
      );
    case 'long':
      return arrival.refuse(
        'websocket.request-too-long',
        'bad socket read/write: Unknown error',
        `the HTTP request is longer than ${bytesMax} bytes.`,
        'Raise packet_buffer_size if cookies or tokens need the room.',
      );
    case 'more':
      return arrival.refuse(
        'websocket.early-bytes',
        'malformed packet.',
        'bytes follow the HTTP request before it was answered.',
        'The client must wait for the answer (RFC 6455, 4.1).',
      );
  }
}

/** What mosquitto's log says of a refused request, what it was, what to do. */
const REFUSALS: Record<UpgradeFault, { reason: string; means: (saw: string) => string; remedy: string }> = {
  'not-http': {
    reason: 'bad socket read/write: Unknown error',
    means: saw => `not a WebSocket request: ${JSON.stringify(saw)}.`,
    remedy: 'This port speaks MQTT over WebSocket.',
  },
  browser: {
    reason: 'bad socket read/write: Unknown error',
    means: saw => `an ordinary HTTP request (${JSON.stringify(saw)}), as from a browser's address bar.`,
    remedy: 'There are no pages on this port; a WebSocket client connects with ws:// or wss://.',
  },
  'no-upgrade': {
    reason: 'bad socket read/write: Unknown error',
    means: saw => `the request does not ask for a WebSocket (${JSON.stringify(saw)}).`,
    remedy: 'A proxy in between must pass on Upgrade and Connection (nginx: proxy_set_header Upgrade $http_upgrade).',
  },
  'no-key': {
    reason: 'bad socket read/write: Unknown error',
    means: () => 'the request has no Sec-WebSocket-Key.',
    remedy: 'Use a WebSocket client of RFC 6455.',
  },
  'no-subprotocol': {
    reason: 'bad socket read/write: Unknown error',
    means: saw =>
      saw === '' ? 'no subprotocol is asked for.' : `subprotocol ${JSON.stringify(saw)} is not spoken here.`,
    remedy: "The client must name it: new WebSocket(url, 'mqtt').",
  },
  version: {
    reason: 'used disallowed feature (QoS too high, retain not supported, or bad AUTH method).',
    means: saw => `WebSocket version ${JSON.stringify(saw)}; only 13 is spoken.`,
    remedy: 'Update the client.',
  },
  origin: {
    reason: 'non-matching http origin.',
    means: saw => `a page of ${JSON.stringify(saw)} may not connect here.`,
    remedy: 'Add it as websockets_origin if it should.',
  },
};

function refuseUpgrade(arrival: Arrival, fault: UpgradeFault, saw: string): false {
  const row = REFUSALS[fault];
  arrival.listener.shared.options.meter.protocolErrors++;
  return arrival.refuse(`websocket.${fault}`, row.reason, row.means(saw), row.remedy);
}
