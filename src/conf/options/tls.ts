/** Chapter: certificates, keys and what TLS may use on a listener. */
import { innerListenerOption, listenerOption, refused, specialOption, type OptionRow } from './row.ts';
import { bool, emptyValue, path, text, type ValueType } from './types.ts';
import { refuse } from '../error.ts';
import type { ListenerSettings } from '../settings.ts';

function refusePskMix(listener: ListenerSettings): void {
  if (listener.pskHint === null) return;
  refuse(
    'Error: Cannot use both certificate and psk encryption in a single listener.',
    `This listener has psk_hint '${listener.pskHint}'. Give the certificate a listener of its own.`,
  );
}

const minimumVersions: Readonly<Record<string, ListenerSettings['tlsVersion']>> = {
  'tlsv1.3': 'TLSv1.3',
  'tlsv1.2': 'TLSv1.2',
  'tlsv1.1': 'TLSv1.2',
  'tlsv1.0': 'TLSv1.2',
  tlsv1: 'TLSv1.2',
};

const groups: ValueType<string[]> = {
  argument: 'list of group names',
  good: ['X25519', 'X25519:P-256', 'P-256, P-384'],
  bad: [{ text: '', error: "Error: Empty 'tls_groups' value in configuration." }],
  read(argument, name) {
    const names = argument.rest().split(/[:, \t]+/).filter(word => word !== ''); // prettier-ignore
    return names.length > 0 ? names : emptyValue(name);
  },
};

const sha1: ValueType<string> = {
  ...text('40 hexadecimal digits', 'a'.repeat(40)),
  bad: [{ text: 'xyz', error: "Error: Invalid 'tls_engine_kpass_sha1' value (xyz)." }],
  read(argument, name) {
    const value = text('').read(argument, name);
    if (/^[0-9a-f]{40}$/i.test(value)) return value;
    refuse(`Error: Invalid '${name}' value (${value}).`, 'It is a SHA-1: 40 hexadecimal digits.');
  },
};

const engines =
  'keys in OpenSSL engines cannot be used: OpenSSL 3 has given engines up and Node does not offer them to a server. Export the key to a PEM file and name it with keyfile';

/** cafile and certfile say at once that they do not go with psk_hint; the other paths are looked at in the end. */
function pathBeforePsk(
  name: 'cafile' | 'certfile',
  needs: 'listener' | 'listener or default',
  says: string,
): OptionRow {
  return specialOption<string, 'listener'>({
    name,
    type: path,
    repeat: 'last',
    says,
    standard: 'none',
    since: '<=1.4',
    reload: 'live',
    scope: 'listener',
    needs,
    fields: [name],
    put(listener, value) {
      refusePskMix(listener);
      listener[name] = value;
    },
  });
}

export const tls: readonly OptionRow[] = [
  pathBeforePsk(
    'certfile',
    'listener or default',
    'PEM certificate chain of the server, its own certificate first. Together with keyfile it turns TLS on.',
  ),
  listenerOption({
    name: 'keyfile',
    type: path,
    field: 'keyfile',
    repeat: 'last',
    says: 'PEM private key of certfile, not encrypted.',
    standard: 'none',
    since: '<=1.4',
    reload: 'live',
  }),
  listenerOption({
    name: 'certfile_rsa',
    type: path,
    field: 'certfileRsa',
    repeat: 'last',
    says: 'A second certificate chain on the same port, with an RSA key, for devices that cannot check the ECDSA one of certfile. Needs keyfile_rsa, certfile and keyfile.',
    standard: 'none',
    since: 'ours',
    reload: 'live',
  }),
  listenerOption({
    name: 'keyfile_rsa',
    type: path,
    field: 'keyfileRsa',
    repeat: 'last',
    says: 'PEM private key of certfile_rsa, not encrypted.',
    standard: 'none',
    since: 'ours',
    reload: 'live',
  }),
  pathBeforePsk(
    'cafile',
    'listener',
    'PEM certificates of the authorities whose clients are let in. Only looked at with require_certificate or request_certificate.',
  ),
  listenerOption({
    name: 'capath',
    type: path,
    field: 'capath',
    repeat: 'last',
    says: 'Directory of such certificates, one per file.',
    standard: 'none',
    since: '<=1.4',
    reload: 'live',
    differs: 'Mosquitto reads only files that openssl rehash has linked.',
  }),
  listenerOption({
    name: 'crlfile',
    type: path,
    field: 'crlfile',
    repeat: 'last',
    says: 'PEM revocation lists of the authorities: a client certificate listed there is refused. Every issuing authority needs one.',
    standard: 'none',
    since: '<=1.4',
    reload: 'live',
  }),
  listenerOption({
    name: 'require_certificate',
    type: bool,
    field: 'requireCertificate',
    says: 'A client must prove itself with a certificate of cafile or capath. When false none is asked for, unless request_certificate does.',
    since: '<=1.4',
    reload: 'live',
  }),
  listenerOption({
    name: 'request_certificate',
    type: bool,
    field: 'requestCertificate',
    says: 'Asks for a certificate without demanding one: a good one of cafile or capath proves who the client is, a bad one is refused, and who shows none logs in with user name and password. With use_identity_as_username the common name is the user name of those who showed one.',
    since: 'ours',
    reload: 'live',
  }),
  innerListenerOption({
    name: 'disable_client_cert_date_checks',
    type: bool,
    field: 'disableClientCertDateChecks',
    says: 'Lets client certificates in that are expired or not valid yet. Everything else is still checked.',
    since: '2.1',
    reload: 'live',
  }),
  listenerOption({
    name: 'use_identity_as_username',
    type: bool,
    field: 'useIdentityAsUsername',
    says: 'The common name of the client certificate, or the PSK identity, is the user name; name and password of the client and password_file do not count.',
    since: '<=1.4',
    reload: 'live',
  }),
  listenerOption({
    name: 'use_subject_as_username',
    type: bool,
    field: 'useSubjectAsUsername',
    says: 'The whole subject of the client certificate is the user name, such as CN=alice,O=Org.',
    since: '1.5',
    reload: 'live',
  }),
  listenerOption({
    name: 'use_username_as_clientid',
    type: bool,
    field: 'useUsernameAsClientId',
    says: 'The user name replaces the client id, so that one user is connected once at most. Without a user name: refused.',
    since: '<=1.4',
    reload: 'live',
  }),
  specialOption<string, 'listener'>({
    name: 'tls_version',
    type: text('tlsv1.3 | tlsv1.2', 'tlsv1.3', 'tlsv1.2', 'tlsv1.1', 'tlsv1'),
    repeat: 'error',
    says: 'Oldest version of TLS that is accepted.',
    standard: 'tlsv1.2',
    since: '<=1.4',
    differs:
      'Mosquitto 2 refuses tlsv1 and still offers TLS 1.1 with tlsv1.1; we accept both lines with a warning and use TLS 1.2.',
    reload: 'live',
    scope: 'listener',
    needs: 'listener',
    fields: ['tlsVersion', 'tlsVersionText'],
    put(listener, value, reading) {
      listener.tlsVersionText = value;
      listener.tlsVersion = Object.hasOwn(minimumVersions, value) ? (minimumVersions[value] ?? null) : null;
      if (listener.tlsVersion === null || value === 'tlsv1.2' || value === 'tlsv1.3') return;
      const { file, line } = reading.place;
      reading.say(
        'warning',
        `${file}:${line}: 'tls_version ${value}' asks for a version of TLS that is obsolete: it can be broken, and no current client needs it.`,
        `  This listener accepts TLS 1.2 and 1.3. Take the line out, or write 'tls_version tlsv1.2', and this warning goes.`,
      );
    },
  }),
  listenerOption({
    name: 'ciphers',
    type: text('OpenSSL list', 'ECDHE-RSA-AES128-GCM-SHA256'),
    field: 'ciphers',
    repeat: 'last',
    says: 'Ciphers for TLS 1.2, most wanted first.',
    standard: 'DEFAULT:!aNULL:!eNULL:!LOW:!EXPORT:!SSLv2:@STRENGTH',
    since: '<=1.4',
    reload: 'live',
  }),
  listenerOption({
    name: 'ciphers_tls1.3',
    type: text('OpenSSL list', 'TLS_AES_128_GCM_SHA256'),
    field: 'ciphersTls13',
    repeat: 'last',
    says: 'Cipher suites for TLS 1.3, most wanted first. Without this line and ciphers, a client that lists ChaCha20 first is given it: it has no instructions for AES.',
    standard: 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256',
    since: '2.0',
    differs:
      'Mosquitto gives TLS_AES_256_GCM_SHA384, whose SHA-384 makes handshakes dearer; write it first for keys of 256 bit.',
    reload: 'live',
  }),
  listenerOption({
    name: 'tls_groups',
    type: groups,
    field: 'tlsGroups',
    says: 'Key-exchange groups, most wanted first, separated by colons, commas or spaces.',
    standard: 'the library\u2019s own',
    since: 'ours',
    reload: 'live',
  }),
  listenerOption({
    name: 'psk_hint',
    type: text('text'),
    field: 'pskHint',
    repeat: 'error',
    says: 'Makes this a listener with pre-shared keys from psk_file, and is sent to the client as a hint which one. Not together with certificates.',
    standard: 'none',
    since: '<=1.4',
    reload: 'restart',
  }),
  specialOption<string, 'listener'>({
    name: 'tls_engine',
    type: text('engine id', 'pkcs11'),
    repeat: 'error',
    says: 'OpenSSL engine that holds the key.',
    standard: 'none',
    since: '1.6',
    reload: 'none',
    scope: 'listener',
    needs: 'listener or default',
    fields: [],
    fate: refused(engines),
    put: () => undefined,
  }),
  specialOption<string, 'listener'>({
    name: 'tls_engine_kpass_sha1',
    type: sha1,
    says: 'SHA-1 of the password of a key in an engine.',
    standard: 'none',
    since: '1.6',
    reload: 'none',
    scope: 'listener',
    needs: 'listener or default',
    fields: [],
    fate: refused(engines),
    put: () => undefined,
  }),
  specialOption<string, 'listener'>({
    name: 'tls_keyform',
    type: text('pem | engine', 'pem', 'engine'),
    says: 'Where the key is: in a PEM file or in an engine. Anything but engine means pem.',
    standard: 'pem',
    since: '1.6',
    reload: 'none',
    scope: 'listener',
    needs: 'listener or default',
    fields: [],
    fate: refused(engines),
    only: { when: 'engine', test: value => value === 'engine' },
    put: () => undefined,
  }),
];
