/** What ends when, for whoever asks often: the files are read anew after a reload, and every ten minutes. */
import { systemClock } from '../base/mod.ts';
import { type Expiry, expiriesOf, expiriesOfDevices } from '../pki/mod.ts';
import type { Settings } from '../conf/mod.ts';
import { filesOf } from './forecast.ts';

const KEPT_MS = 600_000;

export interface ExpiryFacts {
  listeners: { listener: string; items: Expiry[] }[];
  /** Null outside a home. */
  devices: Expiry[] | null;
}

export class Expiries {
  readonly #home: string | null;
  #settings: Settings | null = null;
  #readAt = 0;
  #facts: ExpiryFacts = { listeners: [], devices: null };

  constructor(home: string | null) {
    this.#home = home;
  }

  of(settings: Settings): ExpiryFacts {
    const now = systemClock.now();
    if (settings === this.#settings && now - this.#readAt < KEPT_MS) return this.#facts;
    const listeners = settings.listeners
      .map(filesOf)
      .map(({ name, files }) => ({ listener: name, items: expiriesOf(files) }));
    const devices = this.#home === null ? null : expiriesOfDevices(this.#home, systemClock.wall());
    [this.#settings, this.#readAt] = [settings, now];
    return (this.#facts = { listeners, devices });
  }
}
