import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadConfiguration, storeFile } from './mod.ts';
import type { ConfFailure, LoadResult, Settings } from './mod.ts';

const line = 'plugin /usr/lib/mosquitto_persist_sqlite.so\n';

function load(content: string): LoadResult {
  const folder = mkdtempSync(join(tmpdir(), 'zancudo-persist-plugin-'));
  const file = join(folder, 'a.conf');
  writeFileSync(file, content);
  try {
    return loadConfiguration(file, { ports: [] });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function settingsOf(content: string): Settings {
  const result = load(content);
  assert.ok(result.ok, JSON.stringify(result));
  return result.settings;
}

function failureOf(content: string): ConfFailure {
  const result = load(content);
  assert.ok(!result.ok);
  return result.failure;
}

const said = (content: string): string[] => load(content).messages.map(({ text }) => text);

test("the plugin's file is where Mosquitto's would be", () => {
  const files: [string, string | null][] = [
    [`persistence_location /var/lib/m\n${line}`, '/var/lib/m/mosquitto.sqlite3'],
    [`${line}plugin_opt_db_file /d/own.db\n`, '/d/own.db'],
    [`${line}plugin_opt_DB_FILE /d/own.db\npersistence_location /var/lib/m\n`, '/var/lib/m/mosquitto.sqlite3'],
    [`listener 1\nplugin_load p mosquitto_persist_sqlite.so\nplugin_opt_db_file /d/x\nplugin_use p\n`, '/d/x'],
    [line, null],
    ['plugin_load p mosquitto_persist_sqlite.so\nplugin_opt_db_file /d/x\n', null],
  ];
  for (const [content, file] of files) assert.equal(storeFile(settingsOf(content)), file, content);
});

test('without a place for its file the plugin keeps nothing, and says so', () => {
  assert.match(said(line).join('\n'), /has no plugin_opt_db_file defined\. The plugin will not be activated/);
  assert.equal(settingsOf(line).persistence, false);
});

test('a db_file that does not count is a warning', () => {
  const content = `persistence_location /l\n${line}plugin_opt_db_file /d/own.db\n`;
  assert.match(said(content).join('\n'), /'plugin_opt_db_file \/d\/own\.db' does not count/);
});

test('the plugin beside `persistence true`, twice, or with a value that is none, is refused in its own words', () => {
  const refused: [string, string][] = [
    [`persistence true\n${line}`, 'Error: `persistence true` cannot be used with a persistence plugin.'],
    [line + line, 'Error: The plugin mosquitto_persist_sqlite is there twice.'],
    [`${line}plugin_opt_sync maybe\n`, "Sqlite persistence: Invalid plugin_opt_sync value 'maybe'."],
    [`${line}plugin_opt_page_size 0\n`, "Error: Invalid 'page_size' value 0 in configuration."],
    [`${line}plugin_opt_flush_period -1\n`, "Error: Invalid 'flush_period' value -1 in configuration."],
  ];
  for (const [content, text] of refused) {
    const { lines, exitCode } = failureOf(content);
    assert.equal(lines[0], text);
    assert.match(lines[1] ?? '', /^Error found at .*:\d\.$/);
    assert.equal(exitCode, 3);
  }
});

test('an option that the plugin does not know is a warning, as a file that Mosquitto starts with has to start', () => {
  assert.match(said(`${line}plugin_opt_speed 9\n`).join('\n'), /'plugin_opt_speed' is no option of persist-sqlite/);
});

test('sync and flush_period say what an acknowledgement promises, unless durability does', () => {
  const plugin = `persistence_location /l\n${line}`;
  const promises: [string, string, number][] = [
    ['', 'commit', 1],
    ['plugin_opt_sync FULL\n', 'commit', 1],
    ['plugin_opt_sync extra\nplugin_opt_flush_period 0\n', 'commit', 1],
    ['plugin_opt_sync normal\n', 'interval', 5],
    ['plugin_opt_sync off\nplugin_opt_flush_period soon\n', 'interval', 1],
    ['plugin_opt_flush_period 20\n', 'interval', 20],
    ['plugin_opt_flush_period 20\ndurability commit\n', 'commit', 1],
  ];
  for (const [options, durability, seconds] of promises) {
    const settings = settingsOf(plugin + options);
    assert.deepEqual([settings.durability, settings.durabilityIntervalSeconds], [durability, seconds], options);
  }
});

test('the page size is for the file when it is made', () => {
  assert.equal(settingsOf(`persistence_location /l\n${line}plugin_opt_page_size 8192\n`).storePageSize, 8192);
});
