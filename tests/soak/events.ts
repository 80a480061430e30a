/** What happens to the broker during a soak, one after another, again and again. Each row says what must be so afterwards. */
import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { connect } from '../../src/client/mod.ts';
import { until } from '../harness/mod.ts';
import type { Stage } from './stage.ts';

export interface SoakEvent {
  name: string;
  /** Shorter pauses, for a soak of seconds. */
  happen: (stage: Stage, brief: boolean) => Promise<void>;
  /** Why it cannot happen here; null when it can. */
  lacks?: (stage: Stage) => string | null;
}

export const events: readonly SoakEvent[] = [
  { name: 'reload', happen: reload },
  { name: 'device renewed', happen: renew },
  { name: 'server renewed', happen: renewServer },
  { name: 'device revoked', happen: revoke },
  { name: 'operator asks', happen: ask },
  { name: 'backup', happen: backup },
  { name: 'other broker killed', happen: killOther },
  { name: 'line cut', happen: cutLine },
  {
    name: 'disk full',
    happen: fillDisk,
    lacks: ({ ownDisk }) => (ownDisk ? null : 'a file system of its own needs root and unshare'),
  },
];

async function reload(stage: Stage): Promise<void> {
  stage.generation++;
  stage.writeConfiguration();
  assert.match(await stage.askBroker('reload'), /max_queued_messages/);
}

async function renew(stage: Stage): Promise<void> {
  await stage.renewDevice(pick(stage));
}

/** A name that the machine did not have asks for another certificate. */
async function renewServer(stage: Stage): Promise<void> {
  const before = readFileSync(join(stage.home, 'server', 'server.crt'), 'utf8');
  await stage.ask('ca', 'init', 'localhost', `soak-${stage.generation++}.test`, '--home', stage.home);
  assert.notEqual(readFileSync(join(stage.home, 'server', 'server.crt'), 'utf8'), before);
}

/** Its connections end, it does not come in again, and another device takes its place. */
async function revoke(stage: Stage): Promise<void> {
  const kit = pick(stage);
  const host = { host: 'localhost', port: stage.ports.tls };
  const client = await connect({ ...host, tls: kit.tls, clientId: `revoked-${stage.generation++}` });
  await stage.ask('device', 'revoke', kit.name, '--home', stage.home);
  await until('the revoked device to be thrown out', () => !client.isOnline);
  await assert.rejects(connect({ ...host, tls: kit.tls }), 'a revoked device came in');
  await stage.addDevices(1);
  stage.kits.splice(stage.kits.indexOf(kit), 1, stage.kits.pop()!);
}

async function ask(stage: Stage): Promise<void> {
  assert.match(await stage.askBroker('status'), /routing thread/);
  assert.match(await stage.askBroker('clients', '--json'), /crowd-/);
  assert.match(await stage.askBroker('bridges'), /soak/);
}

async function backup(stage: Stage): Promise<void> {
  const file = join(stage.home, '..', 'backup.sqlite3');
  await stage.ask('backup', file, '-c', stage.configuration);
  rmSync(file);
}

async function killOther(stage: Stage, brief: boolean): Promise<void> {
  await stage.killOther();
  await pause(brief ? 500 : 4_000);
  await stage.startOther();
}

/** Longer than one and a half keep alives of the bridge, so that both sides notice; a short cut is another history. */
async function cutLine(stage: Stage, brief: boolean): Promise<void> {
  stage.wire.cut();
  await pause(brief || Math.random() < 0.3 ? 1_500 : 12_000);
  stage.wire.mend();
}

async function fillDisk(stage: Stage, brief: boolean): Promise<void> {
  stage.fillDisk();
  await pause(brief ? 1_500 : 6_000);
  stage.relieveDisk();
}

function pick({ kits }: Stage): Stage['kits'][number] {
  return kits[Math.floor(Math.random() * kits.length)]!;
}
