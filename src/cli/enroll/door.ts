/** The two ways to the same desk of a broker: EST over HTTPS and MQTT, on the same port. */
import type { TlsOptions } from '../../client/mod.ts';

/** Where the broker is and how it is recognised. */
export interface Counter {
  host: string;
  port: number;
  /** What the broker must prove to be; never `insecure`. */
  tls: Pick<TlsOptions, 'ca' | 'serverName'>;
}

/** What an enrolled computer has shown or was given; PEM. */
export interface Credentials {
  certificate: string;
  key: string;
}

export interface Issued {
  /** Its own certificate first, then what it sends behind it. */
  certificate: string;
  /** By what the broker is recognised from now on. */
  ca: string;
}

export interface Door {
  enrol(counter: Counter, name: string, token: string, request: Buffer): Promise<Issued>;
  renew(counter: Counter, shown: Credentials, request: Buffer): Promise<Issued>;
}

export const doorNames = ['mqtt', 'est'] as const;
export type DoorName = (typeof doorNames)[number];

/** Each is loaded when it is gone through. */
export async function doorNamed(name: DoorName): Promise<Door> {
  return name === 'mqtt' ? (await import('./over-mqtt.ts')).overMqtt : (await import('./over-est.ts')).overEst;
}
