import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import test from 'node:test';
import { BatchApplier } from './apply.ts';
import { hexJson, Stage, staged, wholeState } from './durable.contract.ts';
import { openFile } from './open-file.ts';
import { Pending } from './pending.ts';
import { sampleDelivery, sampleMessage, sampleSession, sampleSubscription } from './store.contract.ts';

/** The database, which calls `before` ahead of every statement that is run. */
function watched(db: DatabaseSync, before: () => void): DatabaseSync {
  const run = (statement: StatementSync): unknown => {
    const watch = (call: 'run' | 'get' | 'all') => {
      return (...values: SQLInputValue[]): unknown => {
        before();
        return statement[call](...values);
      };
    };
    return { run: watch('run'), get: watch('get'), all: watch('all') };
  };
  const exec = (sql: string): void => {
    before();
    db.exec(sql);
  };
  return { prepare: (sql: string) => run(db.prepare(sql)), exec, isTransaction: true } as unknown as DatabaseSync;
}

/** A batch of every kind of change on top of what is there. */
function changeEverything(pending: Pending): void {
  const message = sampleMessage({ topicName: 'new' });
  pending.removeSession('old');
  pending.removeRetained('old');
  pending.putSession(sampleSession('new'));
  pending.putSubscription('new', sampleSubscription('x', { mountPoint: 'm/' }));
  pending.putDelivery('new', sampleDelivery(message));
  pending.putExchange('new', 1, message, false);
  pending.putRetained(message);
}

test(
  'a process that dies between any two writes of a batch leaves all of it or nothing',
  staged(async stage => {
    const { db } = openFile(stage.file, stage.wall);
    const pending = new Pending();
    pending.putSession(sampleSession('old'));
    pending.putDelivery('old', sampleDelivery(sampleMessage({ topicName: 'old' })));
    pending.putRetained(sampleMessage({ topicName: 'old' }));
    new BatchApplier(db).apply(pending.take(stage.wall, hexJson.propertiesToJson));
    const moments: string[] = [];
    const keepMoment = (): void => {
      const directory = join(stage.directory, String(moments.length));
      mkdirSync(directory);
      moments.push(directory);
      // What the system has of the files is what a new process finds when this one is gone.
      for (const suffix of ['', '-wal']) {
        if (existsSync(stage.file + suffix))
          copyFileSync(stage.file + suffix, join(directory, `mosquitto.sqlite3${suffix}`));
      }
    };
    changeEverything(pending);
    new BatchApplier(watched(db, keepMoment)).apply(pending.take(stage.wall, hexJson.propertiesToJson));
    keepMoment();
    db.close();
    assert.ok(moments.length > 10, `${moments.length} moments`);
    const found: string[] = [];
    for (const directory of moments) found.push(await namesIn(directory));
    const whole = { old: 'old old | old', new: 'new new | new' };
    assert.deepEqual([...new Set(found)], [whole.old, whole.new]);
    assert.equal(found.lastIndexOf(whole.old), moments.length - 2, 'the commit itself is the only border');
  }),
);

/** Clients with the topics that wait for them, then the retained topics. */
async function namesIn(directory: string): Promise<string> {
  const stage = new Stage();
  try {
    const opened = await Object.assign(stage, { file: join(directory, 'mosquitto.sqlite3') }).open();
    const state = await wholeState(opened);
    const clients = state.sessions.map(({ clientId, deliveries }) => [
      clientId,
      ...deliveries.map(d => d.message.topicName),
    ]);
    return `${clients.flat().join(' ')} | ${state.retained.map(({ topicName }) => topicName).join(' ')}`;
  } finally {
    await stage.discard();
  }
}
