/** From what the arguments said to what the client is told. */
import type { ConnectOptions, Properties, ScramMethod, TlsOptions, WillOptions } from '../../client/mod.ts';
import { ClientError, scramAuthentication, tlsFromFiles } from '../../client/mod.ts';
import type { Draft } from './draft.ts';

const receiveMaximumDefault = 20;

export async function connectOptions(draft: Draft): Promise<ConnectOptions> {
  const tls = usesTls(draft) ? await tlsOptions(draft) : undefined;
  return {
    ...(await place(draft)),
    noDelay: draft.noDelay,
    version: draft.version,
    cleanStart: draft.cleanStart,
    keepAliveSeconds: draft.keepAlive,
    inflightMax: draft.inflightMax,
    properties: connectProperties(draft),
    ...(tls === undefined ? {} : { tls }),
    ...(draft.websocket ? { websocket: {} } : {}),
    ...(draft.bindAddress === undefined ? {} : { bindAddress: draft.bindAddress }),
    ...(draft.proxy === undefined ? {} : { proxy: draft.proxy }),
    ...identity(draft),
    ...(draft.willTopic === undefined ? {} : { will: will(draft, draft.willTopic) }),
  };
}

/** The port is 8883 with a CA or a key, not with those of the operating system; said outright, 8883 means TLS. */
function usesTls(draft: Draft): boolean {
  if (draft.noTls || draft.unixSocket !== undefined) return false;
  const named = draft.cafile !== undefined || draft.capath !== undefined || draft.psk !== undefined;
  return named || draft.osCertificates || draft.port === 8883;
}

async function place(draft: Draft): Promise<Partial<ConnectOptions>> {
  if (draft.unixSocket !== undefined) return { unixSocket: draft.unixSocket };
  const host = draft.host ?? 'localhost';
  if (draft.srv) return bySrv(host, usesTls(draft));
  const named = !draft.noTls && (draft.cafile ?? draft.capath ?? draft.psk) !== undefined;
  return { host, port: draft.port ?? (named ? 8883 : 1883) };
}

/** RFC 2782: the lowest priority, and of these the heaviest. */
async function bySrv(domain: string, tls: boolean): Promise<Partial<ConnectOptions>> {
  const { resolveSrv } = await import('node:dns/promises');
  const service = `${tls ? '_secure-mqtt' : '_mqtt'}._tcp.${domain}`;
  const records = await resolveSrv(service).catch(() => []);
  const [best] = records.sort((a, b) => a.priority - b.priority || b.weight - a.weight);
  if (best !== undefined) return { host: best.name, port: best.port };
  throw new ClientError({ code: 'connect.srv', kind: 'lookup', message: `There is no SRV record ${service}.` });
}

async function tlsOptions(draft: Draft): Promise<TlsOptions> {
  checkTlsWords(draft);
  const common: TlsOptions = {
    insecure: draft.insecure,
    ...(draft.ciphers === undefined ? {} : { ciphers: draft.ciphers }),
    ...(draft.alpn === undefined ? {} : { alpn: draft.alpn }),
    ...(draft.tlsVersion === 'tlsv1.3' ? { minVersion: 'TLSv1.3' } : {}),
    ...(draft.tlsKeylog === undefined ? {} : { onSecret: await secretsTo(draft.tlsKeylog) }),
  };
  if (draft.psk !== undefined) return { ...common, psk: pskOf(draft.psk, draft.pskIdentity ?? '') };
  const { cafile, capath, certfile, keyfile } = draft;
  const files = Object.fromEntries(Object.entries({ cafile, capath, certfile, keyfile }).filter(([, path]) => path));
  return { ...common, ...(await tlsFromFiles(files)) };
}

/** The lines are Mosquitto's; behind them stands why. */
export class SettingFault extends Error {
  readonly why: string;
  constructor(line: string, why: string) {
    super(line);
    this.why = why;
  }
}

function checkTlsWords({ tlsEngine, keyform, tlsVersion }: Draft): void {
  if (tlsEngine !== undefined) {
    const why = 'OpenSSL engines are not supported; a key in a PEM file is (--key).';
    throw new SettingFault(`Error: Problem setting TLS engine, is ${tlsEngine} a valid engine?`, why);
  }
  if (keyform !== undefined && keyform !== 'pem') {
    const why = keyform === 'engine' ? 'OpenSSL engines are not supported.' : `'${keyform}' is neither.`;
    throw new SettingFault(`Error: Problem setting key form, it must be one of 'pem' or 'engine'.`, why);
  }
  if (tlsVersion !== undefined && tlsVersion !== 'tlsv1.2' && tlsVersion !== 'tlsv1.3') {
    const why = `--tls-version is tlsv1.2 or tlsv1.3, not '${tlsVersion}': older ones are broken. Leave it out.`;
    throw new SettingFault('Error: Problem setting TLS options, check the options are valid.', why);
  }
}

function pskOf(hex: string, identity: string): { identity: string; key: Buffer } {
  if (/^([\da-f]{2})+$/i.test(hex)) return { identity, key: Buffer.from(hex, 'hex') };
  throw new SettingFault('Error: Problem setting TLS-PSK options.', 'The key is an even number of hexadecimal digits.');
}

async function secretsTo(path: string): Promise<(line: Buffer) => void> {
  const { appendFileSync } = await import('node:fs');
  appendFileSync(path, '', { mode: 0o600 });
  return line => appendFileSync(path, line);
}

function identity(draft: Draft): Partial<ConnectOptions> {
  if (draft.password !== undefined && draft.username === undefined && draft.version !== 5) {
    const why = 'MQTT 3.x has no password without a user name (-u); MQTT 5 has (-V 5).';
    throw new SettingFault('Error: Problem setting username and/or password.', why);
  }
  if (draft.authMethod !== undefined) return { ...clientIdOf(draft), ...proof(draft, draft.authMethod) };
  return {
    ...clientIdOf(draft),
    ...(draft.username === undefined ? {} : { username: draft.username }),
    ...(draft.password === undefined ? {} : { password: draft.password }),
  };
}

function clientIdOf({ clientId, clientIdPrefix }: Draft): Partial<ConnectOptions> {
  const id = clientIdPrefix === undefined ? clientId : `${clientIdPrefix}${process.pid}`;
  return id === undefined ? {} : { clientId: id };
}

/** The password is proved and stays here. */
function proof({ username, password }: Draft, method: ScramMethod): Partial<ConnectOptions> {
  if (username === undefined || password === undefined) {
    throw new SettingFault(
      'Error: --auth-method needs a user name and a password.',
      'Give them with -u and -P, or with a profile.',
    );
  }
  return { username, authentication: scramAuthentication(method, username, Buffer.from(password)) };
}

/** In the order of Mosquitto's tools: what was asked for, the session's expiry, the receive maximum. */
function connectProperties(draft: Draft): Properties {
  const properties: Properties = { ...draft.properties.connect };
  if (draft.sessionExpiry !== undefined && draft.sessionExpiry > 0) {
    properties.sessionExpiryInterval ??= draft.sessionExpiry;
  }
  // Not more messages than -C will print: those behind the last would be lost.
  const few = draft.messageCount > 0 && draft.messageCount < receiveMaximumDefault;
  properties.receiveMaximum ??= few ? draft.messageCount : receiveMaximumDefault;
  return properties;
}

function will(draft: Draft, topic: string): WillOptions {
  return {
    topic,
    payload: draft.willPayload ?? '',
    qos: draft.willQos,
    retain: draft.willRetain,
    properties: draft.properties.will,
  };
}
