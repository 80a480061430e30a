/** Opens what a section names: its password, its package, its driver. What is missing is told with the line of the section. */
import { readSecretFile } from '../secret-file.ts';
import type { Connection } from './connection.ts';
import { type Gate, whatItSays } from './gate.ts';
import type { Hashes } from './hashes.ts';
import { kinds, type OpenedSource } from './kinds.ts';
import type { UserBackendSettings } from './settings.ts';

export interface BackendFailure {
  lines: string[];
  exitCode: 3 | 13;
}

/** Carries a failure out of the opening of one backend, never further. */
export class Refused extends Error {
  readonly failure: BackendFailure;

  constructor(exitCode: 3 | 13, ...lines: string[]) {
    super(lines[0]);
    this.failure = { lines, exitCode };
  }
}

/** Throws Refused when the password cannot be had. */
export function connectionOf(settings: UserBackendSettings, warn: (text: string) => void): Connection {
  return { settings, password: passwordOf(settings, warn), timeoutMs: settings.timeoutSeconds * 1000 };
}

export async function opened(connection: Connection, gate: Gate, hashes: Hashes): Promise<OpenedSource> {
  const { settings } = connection;
  try {
    return await kinds[settings.kind].open(connection, gate, hashes);
  } catch (error) {
    const why = `Error: The backend '${settings.name}' cannot be opened: ${whatItSays(error)}`;
    throw missingPackage(error, settings) ?? new Refused(3, why, `Error found at ${settings.where}.`);
  }
}

/** Null when something else is wrong. */
export function missingPackage(error: unknown, { kind, name, where }: UserBackendSettings): Refused | null {
  const { code } = error as { code?: unknown };
  if (code !== 'ERR_MODULE_NOT_FOUND' && code !== 'MODULE_NOT_FOUND') return null;
  const { packageName } = kinds[kind];
  return new Refused(
    3,
    `Error: The backend '${name}' needs the package '${packageName ?? ''}', which is not installed.`,
    `Error found at ${where}.`,
    `  Install it beside Zancudo: npm install ${packageName ?? ''}`,
  );
}

function passwordOf({ passwordFile, name, where }: UserBackendSettings, warn: (text: string) => void): string | null {
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
  for (const text of file.warnings) warn(text);
  const password = file.lines[0]?.text.replace(/\r$/, '') ?? '';
  if (password !== '') return password;
  throw new Refused(
    3,
    `Error: The password of the backend '${name}' is empty.`,
    `Error found at ${where}.`,
    `  The first line of ${passwordFile} is the password.`,
  );
}
