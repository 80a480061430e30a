/** A refused CONNECT in words: code, name, and what the broker said about it. */
import type { Connack, ProtocolVersion } from '../codec/mod.ts';
import { ClientError } from './client-error.ts';
import type { TlsOptions } from './options.ts';
import { reasonName, returnCodeName } from './reason-names.ts';

const whoAreYou = 'Check user name and password; without them the broker has to allow anonymous clients.';

/** Return codes of 3.x and reason codes of 5 do not meet: 1 to 5 and 0x80 up. */
const remedies: Record<number, string> = {
  1: 'Choose a version of MQTT that it speaks, with -V.',
  2: 'Choose another client id, with -i.',
  4: whoAreYou,
  5: whoAreYou,
  0x84: 'Choose a version of MQTT that it speaks, with -V.',
  0x85: 'Choose another client id, with -i.',
  0x86: whoAreYou,
  0x87: whoAreYou,
};

/** Some brokers, Zancudo among them, answer so where another door was meant: an old client hears nothing else. */
function viaTls(tls: TlsOptions | undefined): string[] {
  if (tls === undefined) return ['If the port is one for TLS, name its CA with --cafile.'];
  return tls.cert === undefined
    ? []
    : ['Or the client certificate is what it refuses: the log of the broker says why.'];
}

export function connectionRefused(
  packet: Connack,
  version: ProtocolVersion,
  place: string,
  tls: TlsOptions | undefined,
): ClientError {
  const { reasonCode, properties } = packet;
  const { reasonString, serverReference } = properties;
  const name = version === 5 && reasonCode >= 0x80 ? reasonName(reasonCode) : returnCodeName(reasonCode);
  const remedy = remedies[reasonCode];
  return new ClientError({
    code: 'connect.refused',
    kind: 'refused',
    message: `${place} refused the connection (${reasonCode}, ${name})${reasonString === undefined ? '' : `: ${reasonString}`}.`,
    remedy: [
      ...(serverReference === undefined ? [] : [`It names another server: ${serverReference}.`]),
      ...(remedy === undefined ? [] : [remedy]),
      ...(remedy === whoAreYou ? viaTls(tls) : []),
    ],
    reasonCode,
    ...(reasonString === undefined ? {} : { reasonString }),
  });
}
