/** What the tests of this folder share: configuration files in a temporary folder. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after } from 'node:test';
import { loadConfiguration } from './load.ts';
import type { ConfFailure, LoadResult } from './result.ts';
import type { Settings } from './settings.ts';

/** One folder for each test file, gone when its tests are done. */
export const folder = mkdtempSync(join(tmpdir(), 'zancudo-conf-'));
after(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;

export function file(content: string | Uint8Array, name = `${files++}.conf`): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
}

export function load(content: string | Uint8Array, ports: number[] = []): LoadResult & { path: string } {
  const path = file(content);
  return { ...loadConfiguration(path, { ports }), path };
}

export function settingsOf(content: string, ports: number[] = []): Settings {
  const result = load(content, ports);
  assert.ok(result.ok, result.ok ? '' : result.failure.lines.join('\n'));
  return result.settings;
}

/** Messages of a configuration that stands, as `class: text`. The folder's name is cut out. */
export function messagesOf(content: string | Uint8Array, ports: number[] = []): string[] {
  const { messages, path } = load(content, ports);
  return messages.map(({ as, text }) => `${as}: ${text.replaceAll(path, 'FILE')}`);
}

export function failureOf(content: string | Uint8Array): ConfFailure {
  const { path, ...result } = load(content);
  assert.ok(!result.ok, 'the configuration was accepted');
  const shorten = (line: string): string => line.replaceAll(path, 'FILE').replaceAll(folder, 'DIR');
  const { lines, explanation, exitCode } = result.failure;
  return { lines: lines.map(shorten), explanation: explanation.map(shorten), exitCode };
}
