/** From what was asked for on the command line to a connection: what does not go together, TLS, the options file. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { tlsFromFiles, type ConnectOptions, type TlsOptions } from '../../client/mod.ts';
import type { Context } from '../context.ts';
import { systemWords } from '../system-words.ts';
import type { Draft } from './ctrl-options.ts';

/** Mosquitto's line, then what would be right; null when all is well. */
export function conflictIn(draft: Draft): string[] | null {
  const { cafile, capath, cert, key, keyForm, psk, pskIdentity, engine, enginePassword, tlsVersion } = draft;
  if ((cert === null) !== (key === null)) {
    return ['Error: Both certfile and keyfile must be provided if one of them is set.'];
  }
  if (keyForm !== null && key === null) return ['Error: If keyform is set, keyfile must be also specified.'];
  if (keyForm !== null && keyForm !== 'pem') return ["Error: Problem setting key form, it must be 'pem'."];
  if (engine !== null || enginePassword !== null) {
    return [
      `Error: Problem setting TLS engine, is ${engine ?? ''} a valid engine?`,
      '  Engines cannot be used; give --key as a PEM file.',
    ];
  }
  if (psk !== null && (cafile !== null || capath !== null)) {
    return ['Error: Only one of --psk or --cafile/--capath may be used at once.'];
  }
  if (psk !== null && pskIdentity === null) return ['Error: --psk-identity required if --psk used.'];
  if (psk !== null && !/^([0-9a-f]{2})+$/i.test(psk)) {
    return ['Error: Problem setting TLS-PSK options.', '  --psk takes pairs of hexadecimal digits.'];
  }
  if (tlsVersion !== null && !(tlsVersion in leastVersions)) {
    return [
      'Error: Problem setting TLS options, check the options are valid.',
      '  --tls-version is tlsv1.2 or tlsv1.3.',
    ];
  }
  return idleTlsOption(draft);
}

/** An option that asks for protection and gives none must not pass in silence. */
function idleTlsOption(draft: Draft): string[] | null {
  if (usesTls(draft)) return null;
  const idle = [
    draft.cert !== null && '--cert',
    draft.ciphers !== null && '--ciphers',
    draft.alpn !== null && '--tls-alpn',
    draft.tlsVersion !== null && '--tls-version',
  ].find(name => name !== false);
  if (idle === undefined) return null;
  return [`Error: ${idle} without TLS.`, '  --cafile, --capath, --tls-use-os-certs, --psk or port 8883 switch it on.'];
}

export function usesTls({ cafile, capath, useSystemCas, psk, port }: Draft): boolean {
  return cafile !== null || capath !== null || useSystemCas || psk !== null || port === 8883;
}

const leastVersions: Record<string, TlsOptions['minVersion'] & string> = { 'tlsv1.2': 'TLSv1.2', 'tlsv1.3': 'TLSv1.3' };

/** Rejects with a ClientError that names the file which cannot be read. */
export async function connectOptionsOf(draft: Draft, trace: (line: string) => void): Promise<ConnectOptions> {
  const { proxy } = draft;
  return {
    version: draft.version,
    host: draft.host ?? 'localhost',
    port: draft.port ?? defaultPort(draft),
    ...some('unixSocket', draft.unixSocket),
    ...some('bindAddress', draft.bindAddress),
    ...some('clientId', draft.clientId),
    ...some('username', draft.username),
    ...some('password', draft.password),
    ...(usesTls(draft) ? { tls: await tlsOf(draft) } : {}),
    ...(proxy === null
      ? {}
      : {
          proxy: {
            host: proxy.host,
            port: proxy.port,
            ...some('username', proxy.username),
            ...some('password', proxy.password),
          },
        }),
    ...(draft.debug ? { trace } : {}),
  };
}

export function defaultPort({ cafile, capath, psk }: Draft): number {
  return cafile !== null || capath !== null || psk !== null ? 8883 : 1883;
}

async function tlsOf(draft: Draft): Promise<TlsOptions> {
  const { psk, pskIdentity, tlsVersion } = draft;
  const files = {
    ...some('cafile', draft.cafile),
    ...some('capath', draft.capath),
    ...some('certfile', draft.cert),
    ...some('keyfile', draft.key),
  };
  return {
    ...(await tlsFromFiles(files)),
    insecure: draft.insecure,
    ...some('ciphers', draft.ciphers),
    ...some('alpn', draft.alpn),
    ...(tlsVersion === null ? {} : { minVersion: leastVersions[tlsVersion] ?? 'TLSv1.2' }),
    ...(psk === null ? {} : { psk: { identity: pskIdentity ?? '', key: Buffer.from(psk, 'hex') } }),
  };
}

/** A member that is there, or none: what is not said is left to the client. */
function some<Name extends string>(name: Name, value: string | null): Partial<Record<Name, string>> {
  return value === null ? {} : ({ [name]: value } as Record<Name, string>);
}

/** Lines of the options file without comments. A default one that is not there has none; a named one is complained of. */
export function optionsFileLines(named: string | null, tool: string, context: Context): string[] {
  const file = named ?? defaultOptionsFile(tool, context.environment);
  if (file === null) return [];
  try {
    const lines = readFileSync(file, 'utf8').split(/\r?\n/);
    return lines.filter(line => !line.startsWith('#'));
  } catch (error) {
    if (named !== null) context.complain(`Warning: The options file ${named} is left out: ${systemWords(error)}.\n`);
    return [];
  }
}

function defaultOptionsFile(tool: string, environment: Context['environment']): string | null {
  const { XDG_CONFIG_HOME: folder, HOME: home } = environment;
  if (folder) return join(folder, tool);
  return home ? join(home, '.config', tool) : null;
}
