/** The store that the configuration asks for: a file in persistence_location, or nothing but memory. */
import { type LogCode, systemClock } from '../base/mod.ts';
import type { ListenerRules, Recorder, Store, StoredState } from '../broker/ports.ts';
import type { Broker } from '../broker/mod.ts';
import { storeFile, type Settings } from '../conf/mod.ts';
import type { BrokerLog } from '../observability/mod.ts';
import { type Durability, type DurableStore, MemoryStore, openDurableStore, StoreError } from '../storage/mod.ts';
import { prepareStoreFile } from './prepare-store-file.ts';
import { propertiesFromJson, propertiesToJson } from './stored-properties.ts';

export interface OpenStore {
  ok: true;
  store: Store;
  /** Gives a new broker what was kept; to be called once, before any listener is open. */
  restoreInto(broker: Broker, rules: readonly ListenerRules[]): void;
  close(): Promise<void>;
}

export interface StoreFailure {
  ok: false;
  lines: readonly string[];
  exitCode: number;
  code: LogCode;
}

export async function openStore(
  settings: Settings,
  log: BrokerLog,
  recorder: Recorder | null,
): Promise<OpenStore | StoreFailure> {
  const file = storeFile(settings);
  if (file === null) return { ok: true, store: new MemoryStore(), restoreInto: () => {}, close: async () => {} };
  const refusal = await prepareStoreFile(file, settings, log);
  if (refusal !== null) return { ok: false, ...refusal, code: 'store.cannot-open' };
  const say = (lines: readonly string[], as: 'error' | 'notice'): void =>
    lines.forEach(line => log.write(as, line, as === 'error' ? 'store.trouble' : 'store.healed'));
  try {
    const { store, state, remarks } = await openDurableStore({
      file,
      durability: durabilityOf(settings),
      propertiesToJson,
      propertiesFromJson,
      now: () => systemClock.wall(),
      onTrouble: lines => {
        say(lines, 'error');
        recorder?.note('store.trouble', { text: lines.map(line => line.trim()).join(' ') });
      },
      onHealed: lines => {
        say(lines, 'notice');
        recorder?.note('store.healed', { text: lines.map(line => line.trim()).join(' ') });
      },
    });
    for (const remark of remarks) log.write('warning', remark, { code: 'store.remark', file });
    log.write('information', `Store ${file}: ${promise(settings)}`, { code: 'store.opened', file });
    return durable(store, state, log, recorder);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    return { ok: false, lines: error.lines, exitCode: error.exitCode, code: 'store.cannot-open' };
  }
}

function durabilityOf({ durability, durabilityIntervalSeconds }: Settings): Durability {
  if (durability !== 'interval') return { kind: durability };
  return { kind: 'interval', milliseconds: durabilityIntervalSeconds * 1000 };
}

/** What the operator has chosen, in terms of what can be lost. */
function promise({ durability, durabilityIntervalSeconds: seconds }: Settings): string {
  if (durability === 'commit') return 'QoS 1 and 2 are acknowledged when they are on the disk.';
  if (durability === 'none') {
    return 'durability none: what is acknowledged is on the disk after a proper stop; a crash may lose half an hour of it.';
  }
  const what = seconds === 1 ? 'second' : `${seconds} seconds`;
  return `durability interval: a crash or a power cut may lose what was acknowledged in the last ${what}.`;
}

function durable(store: DurableStore, state: StoredState, log: BrokerLog, recorder: Recorder | null): OpenStore {
  const restoreInto = (broker: Broker, rules: readonly ListenerRules[]): void => {
    const listenerOf = (port: number): ListenerRules => rules.find(rule => rule.port === port) ?? rules[0]!;
    broker.restore(state, { listenerOf, adopt: (given, ours) => store.adopt(given, ours) });
    store.forgetUnadopted();
    const waiting = state.sessions.reduce(
      (sum, session) => sum + session.deliveries.length + session.waiting.messages,
      0,
    );
    const { sessions, retained } = state;
    const text = `Restored ${sessions.length} sessions, ${retained.length} retained messages, ${waiting} messages that wait.`;
    log.write('information', text, 'store.opened');
    recorder?.note('store.restored', { text: text.replace(/\.$/, '') });
  };
  return { ok: true, store, restoreInto, close: () => store.close() };
}
