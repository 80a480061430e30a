/** The client speaks of its flags; in a bridge they are options of the configuration. */
const options: readonly (readonly [flag: RegExp, option: string])[] = [
  [/, with -V\b/g, ', with bridge_protocol_version'],
  [/\(-V\)/g, '(bridge_protocol_version)'],
  [/, with -i\b/g, ', with remote_clientid'],
  [/--cafile\b/g, 'bridge_cafile'],
  [/--capath\b/g, 'bridge_capath'],
  [/--cert\b/g, 'bridge_certfile'],
  [/--key\b/g, 'bridge_keyfile'],
  [/--psk-identity\b/g, 'bridge_identity'],
  [/--psk\b/g, 'bridge_psk'],
  [/--tls-version\b/g, 'bridge_tls_version'],
  [/--ciphers\b/g, 'bridge_ciphers'],
  [/--alpn\b/g, 'bridge_alpn'],
  [/--insecure\b/g, 'bridge_insecure'],
];

export function inConfigurationWords(text: string): string {
  return options.reduce((result, [flag, option]) => result.replace(flag, option), text);
}
