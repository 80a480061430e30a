/**
 * The backends that are open. A reload that leaves a section as it was leaves its connections and what it knows.
 *
 *   settings ── prepare(): packages, passwords ──> ready ── of(): asked by the scopes ── retain(): the rest is closed
 */
import type { Identity, Log } from '../../broker/ports.ts';
import type { HashQueue } from '../hash-queue.ts';
import { readSecretFile } from '../secret-file.ts';
import { type BackendFacts, UserBackend } from './backend.ts';
import type { Connection } from './connection.ts';
import { Gate, type GateWatch, whatItSays } from './gate.ts';
import { Hashes } from './hashes.ts';
import { kinds, type OpenedSource } from './kinds.ts';
import type { UserBackendSettings } from './settings.ts';

export interface RegistryOptions {
  log: Log;
  queue: HashQueue;
  rightsChanged: () => void;
}

export interface BackendFailure {
  lines: string[];
  exitCode: 3 | 13;
}

/** Carries a failure out of the opening of one backend, never further. */
class Refused extends Error {
  readonly failure: BackendFailure;

  constructor(exitCode: 3 | 13, ...lines: string[]) {
    super(lines[0]);
    this.failure = { lines, exitCode };
  }
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

  flush(): void {
    for (const backend of this.open.values()) backend.flush();
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
    const connection: Connection = { settings, password: passwordOf(settings, log), timeoutMs };
    // The source is made with the gate that guards it, and the gate probes the source.
    let source: OpenedSource | null = null;
    const limits = { timeoutMs, atOnceMax: settings.connectionsMax, waitingMax: settings.waitingMax };
    const gate = new Gate(limits, async () => await source?.ping(), watchOf(settings, log));
    source = await opened(connection, gate, new Hashes(queue, settings.saltEncoding, settings.cacheSize));
    greet(settings, gate, source, log);
    const warn = (text: string): void => log.write('warning', text);
    return new UserBackend(settings, source.source, gate, { rightsChanged, warn });
  }
}

/** A line that has moved has not changed. */
function keyOf(settings: UserBackendSettings): string {
  return JSON.stringify({ ...settings, where: '' });
}

async function opened(connection: Connection, gate: Gate, hashes: Hashes): Promise<OpenedSource> {
  const { kind, name, where } = connection.settings;
  const { open, packageName } = kinds[kind];
  try {
    return await open(connection, gate, hashes);
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (code !== 'ERR_MODULE_NOT_FOUND' && code !== 'MODULE_NOT_FOUND') {
      throw new Refused(
        3,
        `Error: The backend '${name}' cannot be opened: ${whatItSays(error)}`,
        `Error found at ${where}.`,
      );
    }
    throw new Refused(
      3,
      `Error: The backend '${name}' needs the package '${packageName ?? ''}', which is not installed.`,
      `Error found at ${where}.`,
      `  Install it beside Zancudo: npm install ${packageName ?? ''}`,
    );
  }
}

function passwordOf({ passwordFile, name, where }: UserBackendSettings, log: Log): string | null {
  if (passwordFile === null) return null;
  const file = readSecretFile(passwordFile);
  if (!file.ok) {
    throw new Refused(
      13,
      `Error: Unable to open auth_backend_password_file "${passwordFile}".`,
      `Error found at ${where}.`,
      ...file.because,
    );
  }
  for (const text of file.warnings) log.write('warning', text);
  const password = file.lines[0]?.text.replace(/\r$/, '') ?? '';
  if (password !== '') return password;
  throw new Refused(
    3,
    `Error: The password of the backend '${name}' is empty.`,
    `Error found at ${where}.`,
    `  The first line of ${passwordFile} is the password.`,
  );
}

function watchOf({ name, kind }: UserBackendSettings, log: Log): GateWatch {
  return {
    lost: because => {
      log.write('error', `Error: The backend '${name}' (${kind}) does not answer: ${because}.`);
      log.write('error', '  Nobody can log in by it until it does; it is tried again every few seconds.');
    },
    found: afterMs =>
      log.write('notice', `The backend '${name}' (${kind}) answers again, after ${(afterMs / 1000).toFixed(1)} s.`),
  };
}

/** Said at the start and not at the first login: the broker starts all the same. */
function greet({ name, kind }: UserBackendSettings, gate: Gate, source: OpenedSource, log: Log): void {
  gate
    .run(() => source.ping())
    .then(
      () => log.write('information', `The backend '${name}' (${kind}) answers.`),
      (error: unknown) => {
        log.write('warning', `Warning: The backend '${name}' (${kind}) does not answer: ${whatItSays(error)}.`);
        log.write('warning', '  Whoever logs in by it is refused until it does.');
      },
    );
}
