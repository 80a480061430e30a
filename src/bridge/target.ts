/** From the options of a bridge to those of a connection: where to, as whom, with which TLS, and what to leave out. */
import { DEFAULT_CIPHERS, getCACertificates } from 'node:tls';
import {
  ClientError,
  type ConnectOptions,
  placeOf,
  type Properties,
  tlsFromFiles,
  type TlsOptions,
} from '../client/mod.ts';
import type { ProtocolVersion } from '../codec/mod.ts';
import type { Address, BridgeNames, BridgePlan, BridgePorts } from './plan.ts';

const NEVER = 0xffff_ffff;

/** What was found out about the other broker when it refused; the next attempt goes without it. */
export interface Features {
  version: ProtocolVersion;
  /** Bit 0x80 of the protocol level (3.x): this is a bridge. */
  private: boolean;
  retains: boolean;
  maximumQos: 0 | 1 | 2;
}

export interface Target {
  options: ConnectOptions;
  version: ProtocolVersion;
  /** `host:port`, for messages. */
  place: string;
  retains: boolean;
  maximumQos: 0 | 1 | 2;
  /** It may send our own messages back to us. */
  echoes: boolean;
}

const versions = { mqttv31: 3, mqttv311: 4, mqttv50: 5 } as const;

export function featuresOf({ protocolVersion, tryPrivate }: BridgePlan): Features {
  const version = versions[protocolVersion];
  return { version, private: tryPrivate && version !== 5, retains: true, maximumQos: 2 };
}

export async function targetOf(
  plan: BridgePlan,
  names: BridgeNames,
  address: Address,
  features: Features,
  ports: BridgePorts,
): Promise<Target> {
  const { version, retains, maximumQos } = features;
  const isPrivate = features.private && version !== 5;
  const tls = await tlsOf(plan, ports);
  const options: ConnectOptions = {
    host: address.host,
    port: address.port,
    version,
    noDelay: true,
    cleanStart: plan.cleanSession,
    keepAliveSeconds: plan.keepaliveSeconds,
    bridge: isPrivate,
    ...(plan.remoteUsername === null ? {} : { username: plan.remoteUsername }),
    ...(plan.remotePassword === null ? {} : { password: plan.remotePassword }),
    ...(plan.bindAddress === null ? {} : { bindAddress: plan.bindAddress }),
    ...(plan.tcpKeepalive === null ? {} : { tcpKeepAlive: plan.tcpKeepalive }),
    ...(tls === null ? {} : { tls }),
    ...(version === 5 ? { properties: connectProperties(plan, ports) } : {}),
    ...willOf(plan, names, features),
  };
  return { options, version, place: placeOf(options), retains, maximumQos, echoes: version !== 5 && !isPrivate };
}

/** The state topic says 0 when the other broker loses us. */
function willOf(
  plan: BridgePlan,
  { notificationTopic: topic }: BridgeNames,
  features: Features,
): Pick<ConnectOptions, 'will'> {
  if (!plan.notifications || plan.notificationsLocalOnly) return {};
  const retain = plan.outgoingRetain && features.retains;
  return { will: { topic, payload: '0', qos: Math.min(1, features.maximumQos) as 0 | 1, retain } };
}

function connectProperties(plan: BridgePlan, ports: BridgePorts): Properties {
  const sessionExpiryInterval = plan.sessionExpirySeconds ?? (plan.cleanSession ? 0 : NEVER);
  const receiveMaximum = plan.receiveMaximum ?? (ports.inflightMax() || 65_535);
  return {
    ...(sessionExpiryInterval === 0 ? {} : { sessionExpiryInterval }),
    receiveMaximum,
    maximumPacketSize: ports.packetBytesMax(),
    ...(plan.maxTopicAlias === 0 ? {} : { topicAliasMaximum: plan.maxTopicAlias }),
    userProperties: [['zancudo-bridge', ports.brokerId]],
  };
}

async function tlsOf(plan: BridgePlan, ports: BridgePorts): Promise<TlsOptions | null> {
  const { cafile, capath, certfile, keyfile, identity, psk } = plan;
  if (identity !== null && psk !== null) return { ...common(plan), psk: { identity, key: keyOf(psk) } };
  if (cafile === null && capath === null && !plan.useOsCerts) return null;
  const files = await tlsFromFiles({
    ...(cafile === null ? {} : { cafile }),
    ...(capath === null ? {} : { capath }),
    ...(certfile === null ? {} : { certfile }),
    ...(keyfile === null ? {} : { keyfile }),
  });
  const system = plan.useOsCerts && files.ca !== undefined ? { ca: [...files.ca, ...getCACertificates('system')] } : {};
  return {
    ...common(plan),
    ...files,
    ...system,
    ...(plan.requireOcsp ? { judgeStaple: ports.judgeStaple.bind(ports) } : {}),
  };
}

/** `bridge_insecure` is about the name alone: who issued the certificate is checked all the same. */
function common({ tlsVersion, ciphers, ciphersTls13, alpn, insecure }: BridgePlan): TlsOptions {
  const older = ciphersTls13 === null ? ciphers : (ciphers ?? defaultsOfTls12());
  const lists = [ciphersTls13, older].filter(list => list !== null);
  return {
    anyName: insecure,
    ...(tlsVersion === null ? {} : { minVersion: versionOfTls(tlsVersion) }),
    ...(lists.length === 0 ? {} : { ciphers: lists.join(':') }),
    ...(alpn === null ? {} : { alpn }),
  };
}

/** A list of TLS 1.3 suites says nothing about TLS 1.2. */
function defaultsOfTls12(): string {
  const names = DEFAULT_CIPHERS.split(':');
  return names.filter(name => !name.startsWith('TLS_')).join(':');
}

function versionOfTls(word: string): 'TLSv1.2' | 'TLSv1.3' {
  if (word === 'tlsv1.2' || word === 'tlsv1.3') return word === 'tlsv1.2' ? 'TLSv1.2' : 'TLSv1.3';
  throw new ClientError({
    code: 'bridge.tls-version',
    kind: 'invalid',
    message: `Protocol ${word} not supported.`,
    remedy: ['bridge_tls_version is tlsv1.2 or tlsv1.3.'],
  });
}

function keyOf(digits: string): Buffer {
  if (/^([0-9a-fA-F]{2})+$/.test(digits)) return Buffer.from(digits, 'hex');
  throw new ClientError({
    code: 'bridge.psk',
    kind: 'invalid',
    message: 'bridge_psk is not a key in hexadecimal digits.',
    remedy: ['Write two digits for each byte, without 0x.'],
  });
}
