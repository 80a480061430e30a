/** What a kit is made from: one device, its keys, and how the broker is reached. */
import type { KeyObject, X509Certificate } from 'node:crypto';

export interface KitFacts {
  name: string;
  /** Name or address to connect to. */
  host: string;
  /** A DNS name in the broker's certificate, for libraries that cannot compare addresses. */
  serverName: string;
  port: number;
  ca: X509Certificate;
  certificate: X509Certificate;
  /** The CA that issued it. */
  issuing: X509Certificate;
  /** Null where the key stays with the device. */
  key: KeyObject | null;
  /** Something that the device may publish. */
  topic: string;
  /** Of the PKCS #12 file. */
  password: string;
  /** Fingerprints of the broker's public keys as Tasmota computes them. */
  tasmota: { rsa: string; ec: string };
}

export interface KitFile {
  name: string;
  content: string | Buffer;
}

/** What the kit has for one kind of device or program. */
export interface Recipe {
  /** Also the folder. */
  name: string;
  title: string;
  files(facts: KitFacts): KitFile[];
  /** One line to paste, or one thing to do. */
  tryIt(facts: KitFacts): string;
}
