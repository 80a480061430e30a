/** Which listeners give devices their certificates, and whether they can. */
import { ConfError, placeText } from './error.ts';
import type { Reading } from './reading.ts';
import { listenerKey, type ListenerSettings } from './settings.ts';

/** `home`: the secure home, whose CA is used unless the file names another. */
export function settleEnrolment({ settings }: Reading, home: string | null): void {
  for (const listener of settings.listeners) {
    const place = listener.places['enrolment'];
    if (listener.enrolment === true) {
      const missing = whatIsMissing(listener, settings.caHome ?? home);
      if (missing !== null) {
        const line = `Error: 'enrolment true' cannot be used on ${listenerKey(listener)}.`;
        throw new ConfError([line], place === undefined ? [missing] : [missing, `Look at ${placeText(place)}.`]);
      }
    }
    // A home made by an earlier version does not say; where it asks for certificates, devices may come for them.
    listener.enrolment ??= home !== null && listener.requestCertificate && whatIsMissing(listener, home) === null;
  }
  settings.caHome ??= home;
}

function whatIsMissing({ certfile, protocol }: ListenerSettings, caHome: string | null): string | null {
  if (certfile === null) return 'A certificate is only given out over TLS: the listener needs certfile and keyfile.';
  if (protocol !== 'mqtt') return 'Enrolment has its place beside MQTT: use a listener with protocol mqtt.';
  if (caHome === null) return "Write 'ca_home DIR': the folder of the CA, as zancudo ca init has made it.";
  return null;
}
