/**
 * Rules for certificates, not for names: the part of an access file that `zancudo device` keeps.
 *
 *   # --- devices: kept by ... ---          a client that has shown the certificate of this fingerprint has these rules,
 *   user lamp                               whatever user name and client identifier it claims;
 *   # certificate 5E:0A:...                 whoever only says that it is `lamp` has none of them
 *   topic readwrite devices/lamp/#
 *   # --- end of devices ---
 *
 * To Mosquitto the marks and fingerprints are comments, and the file is an ordinary acl_file for user names.
 */
import type { Identity } from '../broker/ports.ts';
import type { RuleTree } from './acl-rules.ts';

export const devicesBegin = "# --- devices: kept by 'zancudo device', changes between these marks are lost ---";
export const devicesEnd = '# --- end of devices ---';

const certificateWord = '# certificate ';

/** `fingerprint256` is SHA-256, upper-case hexadecimal with colons. */
export const certificateLine = (fingerprint256: string): string => `${certificateWord}${fingerprint256}`;

/** Null when the line names no certificate. */
export function fingerprintIn(line: string): string | null {
  return line.startsWith(certificateWord) ? line.slice(certificateWord.length).trim() : null;
}

export interface BoundDevice {
  name: string;
  rules: RuleTree;
  /** One of its certificates, for whoever asks on its behalf. */
  certificate: string;
}

export class BoundDevices {
  readonly #byCertificate = new Map<string, BoundDevice>();
  readonly #byName = new Map<string, BoundDevice>();

  get size(): number {
    return this.#byName.size;
  }

  add(name: string, rules: RuleTree, certificate: string): void {
    const device = this.#byName.get(name) ?? { name, rules, certificate };
    this.#byName.set(name, device);
    this.#byCertificate.set(certificate, device);
  }

  /** Who this is by what was proved; null for those who have shown no certificate of ours. */
  of({ certificate, vouchedName }: Identity): BoundDevice | null {
    if (certificate !== undefined) return this.#byCertificate.get(certificate) ?? null;
    return vouchedName === undefined ? null : (this.#byName.get(vouchedName) ?? null);
  }

  named(name: string): BoundDevice | null {
    return this.#byName.get(name) ?? null;
  }

  all(): Iterable<BoundDevice> {
    return this.#byName.values();
  }
}
