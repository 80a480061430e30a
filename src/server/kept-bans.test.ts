import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Log } from '../broker/ports.ts';
import { AddressDoorkeeper } from '../listeners/mod.ts';
import { createMeter } from '../observability/mod.ts';
import { keepBans } from './kept-bans.ts';

const limits = { banAfter: 3, banSecondsMax: 60, banExempt: [], connectionsPerSecond: 0 };

function start(file: string | null, now: number, lines: string[] = []) {
  const log = { debug: false, write: (_: string, text: string) => void lines.push(text) } as unknown as Log;
  const door = new AddressDoorkeeper({ limits, log, meter: createMeter(), wall: () => now });
  return { door, stop: keepBans(file, door, log) };
}

test('a ban outlasts a restart until it is over or lifted, in a file for its owner alone', () => {
  const folder = mkdtempSync(join(tmpdir(), 'zancudo-bans-'));
  const file = join(folder, 'bans.json');
  try {
    const first = start(file, 1_000_000);
    first.door.add('203.0.113.7', 60, 'scans');
    first.door.add('203.0.113.8', 10, 'short');
    first.stop();
    assert.deepEqual(readdirSync(folder), ['bans.json']);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const second = start(file, 1_020_000);
    assert.deepEqual(second.door.list().map(({ source, because }) => `${source} ${because}`), ['203.0.113.7 scans']);
    second.door.lift('203.0.113.7');
    second.stop();
    assert.deepEqual(start(file, 1_030_000).door.list(), []);
    const nothing = start(null, 1);
    nothing.door.add('203.0.113.7', 60, 'scans');
    nothing.stop();
  } finally {
    rmSync(folder, { recursive: true });
  }
}); // prettier-ignore

test('a file that cannot be read bans nobody, and is named', () => {
  const folder = mkdtempSync(join(tmpdir(), 'zancudo-bans-'));
  const file = join(folder, 'bans.json');
  try {
    for (const text of ['', '[]', '{"bans":[{"source":1}]}']) {
      writeFileSync(file, text);
      const lines: string[] = [];
      assert.deepEqual(start(file, 1, lines).door.list(), []);
      assert.match(lines[0] ?? '', /bans\.json cannot be read, so nobody is banned/);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
