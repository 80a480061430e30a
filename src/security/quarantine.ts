/**
 * Devices that have tried what their certificate does not allow, with `device_policy quarantine`: they stay connected,
 * nothing of them passes and nothing reaches them, until the operator or a change of their rules lets them out.
 *
 * By the device and not by the certificate, so that renewing one does not help. At most one entry for each device that
 * the access file knows; a start of the broker begins with none.
 */
import type { AccessQuestion, Identity } from '../broker/ports.ts';

export interface Quarantined {
  device: string;
  /** What it has tried, and by which connection. */
  who: Identity;
  access: AccessQuestion;
  topic: string;
  because: string;
  /** Unix milliseconds. */
  since: number;
}

export class Quarantine {
  readonly #held = new Map<string, Quarantined>();

  get size(): number {
    return this.#held.size;
  }

  of(device: string): Quarantined | null {
    return this.#held.get(device) ?? null;
  }

  all(): Quarantined[] {
    return [...this.#held.values()];
  }

  put(entry: Quarantined): void {
    this.#held.set(entry.device, entry);
  }

  remove(device: string): boolean {
    return this.#held.delete(device);
  }
}
