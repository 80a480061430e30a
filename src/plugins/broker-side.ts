/**
 * The broker that a plugin is given. What it does to others happens a moment later: a plugin is called in the middle of
 * a message's way, where nothing else may begin.
 */
import type { BrokerControl, Identity, Log, LogClass } from '../broker/ports.ts';
import { isValidTopicName, matchesFilter } from '../topics/mod.ts';
import { clientOf } from './clients.ts';
import type { PluginPlan } from './plan.ts';
import type { Client, LogLevel, PluginBroker, PublishOptions } from './types.ts';

/** What plugins may do to a broker. */
export interface BrokerAccess {
  readonly control: BrokerControl;
  publish(topic: string, payload: Buffer, options: PublishOptions): void;
  rulesChanged(): void;
}

/** The broker once it is there: plugins are started before it. */
export interface Reach {
  readonly log: Log;
  broker: BrokerAccess | null;
}

/** Beyond it `publish` and `disconnect` throw: the plugin makes more than the broker can be done with. */
const WAITING_MAX = 10_000;

const levels: ReadonlySet<string> = new Set<LogLevel>(['error', 'warning', 'notice', 'information', 'debug']);

/** Does things one after the other, when what happens now is over, and not before `begin`. */
export class Afterwards {
  #waiting: (() => void)[] = [];
  #begun = false;
  readonly #onFault: (error: unknown) => void;

  constructor(onFault: (error: unknown) => void) {
    this.#onFault = onFault;
  }

  add(act: () => void): void {
    if (this.#waiting.length >= WAITING_MAX) throw new Error(`${WAITING_MAX} things are still to be done for plugins`);
    if (this.#waiting.push(act) === 1 && this.#begun) setImmediate(() => this.#work());
  }

  begin(): void {
    this.#begun = true;
    this.#work();
  }

  #work(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const act of waiting) {
      try {
        act();
      } catch (error) {
        this.#onFault(error);
      }
    }
  }
}

export function brokerFor(
  { name, options }: PluginPlan,
  handedOver: unknown,
  reach: Reach,
  afterwards: Afterwards,
  rulesChanged: () => void,
): PluginBroker {
  const present = (): Iterable<Identity> => reach.broker?.control.clients() ?? [];
  return {
    name,
    options,
    handedOver,
    log(level: LogLevel, text: string) {
      const as: LogClass = levels.has(level) ? level : 'notice';
      for (const line of String(text).split('\n')) reach.log.write(as, `Plugin ${name}: ${line}`, 'plugin.says');
    },
    publish(topic, payload, publishOptions = {}) {
      if (!isValidTopicName(topic)) throw new TypeError(`'${topic}' is no topic name`);
      const bytes = typeof payload === 'string' ? Buffer.from(payload) : Buffer.copyBytesFrom(payload);
      afterwards.add(() => reach.broker?.publish(topic, bytes, publishOptions));
    },
    rulesChanged,
    disconnect(clientId, because) {
      const isHere = [...present()].some(client => client.clientId === clientId);
      const which = (who: { clientId: string }): boolean => who.clientId === clientId;
      if (isHere) afterwards.add(() => void reach.broker?.control.disconnect(which, `plugin ${name}: ${because}`));
      return isHere;
    },
    clients: (): Client[] => Array.from(present(), clientOf),
    matches: matchesFilter,
  };
}
