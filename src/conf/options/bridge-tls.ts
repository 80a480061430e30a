/** Chapter: bridges over TLS. Certificates and a pre-shared key exclude each other. */
import { bridgeOption, specialOption, type OptionRow } from './row.ts';
import { bool, path, text, type ValueType } from './types.ts';
import { refuse } from '../error.ts';
import type { BridgeSettings } from '../settings-bridge.ts';

type CertificateField = 'cafile' | 'capath' | 'certfile' | 'keyfile';
type KeyField = 'identity' | 'psk';
const certificateFields: readonly CertificateField[] = ['cafile', 'capath', 'certfile', 'keyfile'];

function refuseMix(option: string, other: 'psk' | 'identity'): never {
  refuse(
    `Error: '${option}': Cannot use both certificate and ${other} encryption in a single bridge.`,
    'Use certificates or a pre-shared key for this connection, not both.',
  );
}

function exclusive(
  name: string,
  field: CertificateField | KeyField,
  says: string,
  type: ValueType<string>,
  isMixed: (bridge: BridgeSettings) => boolean,
): OptionRow {
  return specialOption<string, 'bridge'>({
    name,
    type,
    repeat: field === 'keyfile' ? 'last' : 'error',
    says,
    standard: 'none',
    since: '<=1.4',
    reload: 'live',
    scope: 'bridge',
    needs: 'bridge',
    fields: [field],
    put(bridge, value) {
      // In Mosquitto both key options speak of what they do not go with: certificate and identity.
      if (isMixed(bridge)) refuseMix(name, field === 'identity' ? 'identity' : 'psk');
      bridge[field] = value;
    },
  });
}

const hasKey = (bridge: BridgeSettings): boolean => bridge.identity !== null || bridge.psk !== null;
const hasCertificate = (bridge: BridgeSettings): boolean => certificateFields.some(field => bridge[field] !== null);

const certificate = (name: string, field: CertificateField, says: string) => exclusive(name, field, says, path, hasKey);
const key = (name: string, field: KeyField, says: string, argument: string, good: string) =>
  exclusive(name, field, says, text(argument, good), hasCertificate);

const openssl = (name: string, field: 'ciphers' | 'ciphersTls13', says: string): OptionRow =>
  bridgeOption({
    name,
    type: text('OpenSSL list', 'DEFAULT'),
    field,
    says,
    standard: 'the library\u2019s own',
    repeat: 'error',
    since: '2.1',
    reload: 'live',
  });

export const bridgeTls: readonly OptionRow[] = [
  certificate(
    'bridge_cafile',
    'cafile',
    'PEM certificates of the authorities that the other broker may come from; turns TLS on.',
  ),
  certificate('bridge_capath', 'capath', 'Directory of such certificates; turns TLS on.'),
  certificate('bridge_certfile', 'certfile', 'PEM certificate that the bridge shows.'),
  certificate('bridge_keyfile', 'keyfile', 'PEM private key of bridge_certfile.'),
  key('bridge_identity', 'identity', 'Identity of the pre-shared key; needs bridge_psk.', 'text', 'bridge-1'),
  key('bridge_psk', 'psk', 'Pre-shared key; needs bridge_identity.', 'hexadecimal digits', 'c0ffee'),
  openssl('bridge_ciphers', 'ciphers', 'Ciphers for TLS 1.2.'),
  openssl('bridge_ciphers_tls1.3', 'ciphersTls13', 'Cipher suites for TLS 1.3.'),
  bridgeOption({
    name: 'bridge_tls_version',
    type: text('tlsv1.2 | tlsv1.3', 'tlsv1.2'),
    field: 'tlsVersion',
    repeat: 'error',
    says: 'Oldest version of TLS that is accepted.',
    standard: 'tlsv1.2',
    since: '<=1.4',
    reload: 'live',
  }),
  bridgeOption({
    name: 'bridge_tls_use_os_certs',
    type: bool,
    field: 'useOsCerts',
    says: 'Trusts the authorities of the operating system; turns TLS on.',
    since: '2.1',
    reload: 'live',
  }),
  specialOption<boolean, 'bridge'>({
    name: 'bridge_insecure',
    type: bool,
    says: 'Does not compare the name in the certificate of the other broker with its address.',
    standard: 'false',
    since: '<=1.4',
    reload: 'live',
    scope: 'bridge',
    needs: 'bridge',
    fields: ['insecure'],
    put(bridge, value, reading) {
      bridge.insecure = value;
      if (value) reading.say('warning', `Warning: Bridge '${bridge.name}' using insecure mode.`);
    },
  }),
  bridgeOption({
    name: 'bridge_require_ocsp',
    type: bool,
    field: 'requireOcsp',
    says: 'The other broker must staple the word of its CA that its certificate is not revoked (OCSP). Not with a pre-shared key, which has no certificate.',
    since: '1.6',
    reload: 'live',
  }),
  bridgeOption({
    name: 'bridge_alpn',
    type: text('text', 'mqtt'),
    field: 'alpn',
    repeat: 'error',
    says: 'ALPN protocol that the bridge offers.',
    standard: 'none',
    since: '1.6',
    reload: 'live',
  }),
];
