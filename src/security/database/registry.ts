/**
 * The backends that are open. A reload that leaves a section as it was leaves its connections and what it knows.
 *
 *   settings ── prepare(): packages, passwords ──> ready ── of(): asked by the scopes ── retain(): the rest is closed
 */
import type { Identity, Log } from '../../broker/ports.ts';
import type { HashQueue } from '../hash-queue.ts';
import { type BackendFacts, UserBackend } from './backend.ts';
import { Gate, type GateWatch, whatItSays } from './gate.ts';
import { Hashes } from './hashes.ts';
import type { OpenedSource } from './kinds.ts';
import { type BackendFailure, connectionOf, opened, Refused } from './open.ts';
import type { UserBackendSettings } from './settings.ts';

export interface RegistryOptions {
  log: Log;
  queue: HashQueue;
  rightsChanged: () => void;
}

export class BackendRegistry {
  private readonly options: RegistryOptions;
  private readonly open = new Map<string, UserBackend>();

  constructor(options: RegistryOptions) {
    this.options = options;
  }

  /** Opens what is new, and asks it about those who are here. After a failure everything is as it was. */
  async prepare(wanted: readonly UserBackendSettings[], here: Iterable<Identity> = []): Promise<BackendFailure | null> {
    const added = new Map<string, UserBackend>();
    try {
      for (const settings of wanted) {
        const key = keyOf(settings);
        if (!this.open.has(key) && !added.has(key)) added.set(key, await this.make(settings));
      }
    } catch (error) {
      for (const backend of added.values()) await backend.close();
      if (error instanceof Refused) return error.failure;
      throw error;
    }
    const everyone = [...here];
    const waits = [...added.values()].flatMap(backend => everyone.map(who => backend.prepare(who)));
    await Promise.all(waits.filter(wait => wait !== null));
    for (const [key, backend] of added) this.open.set(key, backend);
    return null;
  }

  /** In order; every one of them has been prepared. */
  of(wanted: readonly UserBackendSettings[]): UserBackend[] {
    return wanted.map(settings => this.open.get(keyOf(settings))).filter(backend => backend !== undefined);
  }

  /** Closes what nobody names any more. */
  async retain(wanted: readonly UserBackendSettings[]): Promise<void> {
    const keep = new Set(wanted.map(keyOf));
    const gone = [...this.open].filter(([key]) => !keep.has(key));
    for (const [key] of gone) this.open.delete(key);
    await Promise.all(gone.map(([, backend]) => backend.close()));
  }

  /** Null for all; the names of those that are asked anew. */
  flush(name: string | null): string[] {
    const wanted = [...this.open.values()].filter(backend => name === null || backend.name === name);
    for (const backend of wanted) backend.flush();
    return wanted.map(backend => backend.name);
  }

  get facts(): BackendFacts[] {
    return [...this.open.values()].map(({ facts }) => facts);
  }

  async close(): Promise<void> {
    await this.retain([]);
  }

  private async make(settings: UserBackendSettings): Promise<UserBackend> {
    const { log, queue, rightsChanged } = this.options;
    const timeoutMs = settings.timeoutSeconds * 1000;
    const connection = connectionOf(settings, text => log.write('warning', text, 'backend.remark'));
    // The source is made with the gate that guards it, and the gate probes the source.
    let source: OpenedSource | null = null;
    const limits = { timeoutMs, atOnceMax: settings.connectionsMax, waitingMax: settings.waitingMax };
    const gate = new Gate(limits, async () => await source?.ping(), watchOf(settings, log));
    source = await opened(connection, gate, new Hashes(queue, settings.saltEncoding, settings.cacheSize));
    greet(settings, gate, source, log);
    const warn = (text: string): void => log.write('warning', text, 'backend.remark');
    return new UserBackend(settings, source.source, gate, { rightsChanged, warn });
  }
}

/** A line that has moved has not changed. */
function keyOf(settings: UserBackendSettings): string {
  return JSON.stringify({ ...settings, where: '' });
}

function watchOf({ name, kind }: UserBackendSettings, log: Log): GateWatch {
  return {
    lost: because => {
      log.write('error', `Error: The backend '${name}' (${kind}) does not answer: ${because}.`, 'backend.silent');
      log.write(
        'error',
        '  Nobody can log in by it until it does; it is tried again every few seconds.',
        'backend.silent',
      );
    },
    found: afterMs =>
      log.write(
        'notice',
        `The backend '${name}' (${kind}) answers again, after ${(afterMs / 1000).toFixed(1)} s.`,
        'backend.answers',
      ),
  };
}

/** Said at the start and not at the first login: the broker starts all the same. */
function greet({ name, kind }: UserBackendSettings, gate: Gate, source: OpenedSource, log: Log): void {
  gate
    .run(() => source.ping())
    .then(
      () => log.write('information', `The backend '${name}' (${kind}) answers.`, 'backend.answers'),
      (error: unknown) => {
        log.write(
          'warning',
          `Warning: The backend '${name}' (${kind}) does not answer: ${whatItSays(error)}.`,
          'backend.silent',
        );
        log.write('warning', '  Whoever logs in by it is refused until it does.', 'backend.silent');
      },
    );
}
