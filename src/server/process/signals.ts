/**
 * What each signal asks for.
 *
 * Mosquitto 2.1 reopens its logs on SIGRTMIN. Node cannot listen to real-time signals, and their default is to end the
 * process; so bin/zancudo starts the broker with SIGRTMIN ignored, and the log notices a rotated file by itself.
 * SIGPIPE is ignored by Node itself. Listening to SIGUSR1 also keeps it from opening Node's debugger.
 */
export type SignalAction = 'stop' | 'reload' | 'save' | 'printSubscriptions';

export const signalActions: readonly { signal: NodeJS.Signals; action: SignalAction; says: string }[] = [
  { signal: 'SIGINT', action: 'stop', says: 'Stop: send wills, save, close.' },
  { signal: 'SIGTERM', action: 'stop', says: 'Stop: send wills, save, close.' },
  {
    signal: 'SIGHUP',
    action: 'reload',
    says: 'Read configuration, certificates, passwords and access rules again; reopen logs.',
  },
  { signal: 'SIGUSR1', action: 'save', says: 'Save persistent state now.' },
  { signal: 'SIGUSR2', action: 'printSubscriptions', says: 'Print the subscription trees on standard output.' },
];

/** Returns the function that stops listening. */
export function listenForSignals(actions: Record<SignalAction, (signal: NodeJS.Signals) => void>): () => void {
  const listeners = signalActions.map(({ signal, action }) => {
    const listener = () => actions[action](signal);
    process.on(signal, listener);
    return () => process.removeListener(signal, listener);
  });
  return () => {
    for (const remove of listeners) remove();
  };
}
