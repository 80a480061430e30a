/** CONNECT as the options ask for it. */
import { type Connect, type Properties, type ProtocolVersion, type Will } from '../codec/mod.ts';
import { ClientError } from './client-error.ts';
import type { ConnectOptions, WillOptions } from './options.ts';
import { rawProperties } from './properties.ts';

export function connectPacket(options: ConnectOptions, version: ProtocolVersion, clientId: string): Connect {
  const username = options.username ?? null;
  const password = options.password === undefined ? null : Buffer.from(options.password);
  if (version !== 5 && password !== null && username === null) throw passwordAlone();
  return {
    version,
    bridge: options.bridge ?? false,
    cleanStart: options.cleanStart ?? true,
    keepAlive: options.keepAliveSeconds ?? 60,
    clientId,
    username,
    password,
    will: options.will === undefined ? null : willOf(options.will),
    properties: connectProperties(options),
  };
}

function connectProperties({ properties = {}, authentication }: ConnectOptions): Properties {
  if (authentication === undefined) return properties;
  const { method, data } = authentication;
  const first = typeof data === 'function' ? data() : data;
  return {
    ...properties,
    authenticationMethod: method,
    ...(first === undefined ? {} : { authenticationData: first }),
  };
}

function willOf(will: WillOptions): Will {
  return {
    topicName: will.topic,
    payload: Buffer.from(will.payload ?? ''),
    qos: will.qos ?? 0,
    retain: will.retain ?? false,
    // Delay and expiry are among them, in the order they were given.
    properties: rawProperties(will.properties),
    delayInterval: 0,
    messageExpiryInterval: -1,
  };
}

function passwordAlone(): ClientError {
  return new ClientError({
    code: 'connect.password-without-username',
    kind: 'invalid',
    message: 'MQTT 3.1 and 3.1.1 have no password without a user name.',
    remedy: ['Give a user name, or use MQTT 5.'],
  });
}
