/**
 * The last step of an arrival on an MQTT listener that also answers HTTP (`enrolment true`): who speaks HTTP inside
 * TLS goes to whoever answers it, with the bytes put back; everybody else goes on to the heart.
 */
import type { Arrival } from './arrival.ts';
import { recognise } from './first-bytes.ts';
import { SILENT_LEAVE } from './tls-accept.ts';

export async function answerHttp(arrival: Arrival): Promise<boolean> {
  arrival.phase = 'HTTP';
  const tongue = await arrival.readAhead(bytes => ({ value: recognise(bytes), used: 0 }));
  if (tongue === null) return leftInSilence(arrival);
  if (tongue !== 'http') return true;
  arrival.handOverHttp();
  return false;
}

/** After the handshake, before a first byte. */
function leftInSilence(arrival: Arrival): false {
  if (arrival.error !== null) return arrival.gone('first packet');
  if (!arrival.timedOut) return arrival.refuse('tls.silent-leave', 'connection closed by client.', ...SILENT_LEAVE);
  const { limits, meter } = arrival.listener.shared.options;
  meter.connectTimeouts++;
  const seconds = limits.handshakeTimeoutMs / 1000;
  const means = `nothing was sent for ${seconds} s after the TLS handshake had begun.`;
  return arrival.refuse(
    'connection.silent',
    'exceeded timeout.',
    means,
    'A port probe, or a client that waits for the server.',
  );
}
