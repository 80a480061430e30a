/** The `auth_backend`s of this broker; the part that serves them is loaded with the first one that is named. */
import type { Broker } from '../broker/mod.ts';
import type { AccessControl, Identity, Log } from '../broker/ports.ts';
import type { Settings } from '../conf/mod.ts';
import type { BackendFacts, BackendFailure, BackendRegistry } from '../security/database/mod.ts';
import type { HashQueue, UserBackendSettings, UserSource, UserSources } from '../security/mod.ts';
import { userBackends } from './map-settings.ts';

export class AuthBackends implements UserSources {
  private readonly log: Log;
  private readonly queue: HashQueue;
  private readonly rightsChanged: () => void;
  private registry: BackendRegistry | null = null;

  constructor(log: Log, queue: HashQueue, rightsChanged: () => void) {
    this.log = log;
    this.queue = queue;
    this.rightsChanged = rightsChanged;
  }

  /** Opens what is new, and asks it about those who are here. After a failure everything is as it was. */
  async prepare(settings: Settings, here: Iterable<Identity> = []): Promise<BackendFailure | null> {
    const wanted = userBackends(settings);
    if (wanted.length === 0) return null;
    return (await this.open()).prepare(wanted, here);
  }

  of(wanted: readonly UserBackendSettings[]): readonly UserSource[] {
    return this.registry?.of(wanted) ?? [];
  }

  /** Closes what is no longer named; everything else is asked anew. */
  async reloaded(settings: Settings): Promise<void> {
    await this.registry?.retain(userBackends(settings));
    this.registry?.flush(null);
  }

  /** Null for all; the names of those that are asked anew. */
  flush(name: string | null): string[] {
    return this.registry?.flush(name) ?? [];
  }

  get facts(): readonly BackendFacts[] {
    return this.registry?.facts ?? [];
  }

  async close(): Promise<void> {
    await this.registry?.close();
  }

  private async open(): Promise<BackendRegistry> {
    if (this.registry !== null) return this.registry;
    const { BackendRegistry } = await import('../security/database/mod.ts');
    const { log, queue, rightsChanged } = this;
    return (this.registry = new BackendRegistry({ log, queue, rightsChanged }));
  }
}

/** Everyone whose rules may be asked about: connected, or away with a session. */
export function* present(broker: Broker): Iterable<Identity> {
  for (const { owner } of broker.sessions.values()) if (owner !== null) yield owner;
}

const RESTORED_AT_ONCE = 100;
const RESTORED_PATIENCE_MS = 5000;

/**
 * Messages for those whose sessions came back with the store are judged from the first moment on. What takes longer is
 * fetched in the background, and until then they may nothing.
 */
export async function prepareRestored(broker: Broker, access: AccessControl): Promise<void> {
  const deadline = performance.now() + RESTORED_PATIENCE_MS;
  let waits: Promise<unknown>[] = [];
  for (const owner of present(broker)) {
    const wait = access.prepare?.(owner) ?? null;
    if (wait === null) continue;
    waits.push(wait);
    if (waits.length < RESTORED_AT_ONCE) continue;
    await Promise.all(waits);
    waits = [];
    if (performance.now() > deadline) return;
  }
  await Promise.all(waits);
}
