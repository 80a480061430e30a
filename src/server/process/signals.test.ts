import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listenForSignals, signalActions, type SignalAction } from './signals.ts';

test('each signal asks for its action, and for nothing once nobody listens any more', () => {
  const asked: string[] = [];
  const listening = () => signalActions.map(({ signal }) => process.listenerCount(signal));
  // The test runner has listeners of its own.
  const before = listening();
  const note = (action: SignalAction) => (signal: string) => void asked.push(`${signal} ${action}`);
  const stopListening = listenForSignals({
    stop: note('stop'),
    reload: note('reload'),
    save: note('save'),
    printSubscriptions: note('printSubscriptions'),
  });
  for (const { signal } of signalActions) process.listeners(signal).at(-1)?.(signal);
  stopListening();
  assert.deepEqual(asked, [
    'SIGINT stop',
    'SIGTERM stop',
    'SIGHUP reload',
    'SIGUSR1 save',
    'SIGUSR2 printSubscriptions',
  ]);
  assert.deepEqual(listening(), before);
});
