/**
 * Signals are ours from before the first port is open until after the last is closed: one that asks to stop while a large
 * store is still being read is remembered, a reload then has nothing to reload, and a second one kills nothing that is
 * ending in order.
 */
import { listenForSignals, type SignalAction } from './process/mod.ts';

export type SignalHandlers = Record<SignalAction, () => void>;

export class Signals {
  #stopAsked = false;
  #handlers: SignalHandlers | null = null;
  readonly #stopListening: () => void;

  constructor() {
    this.#stopListening = listenForSignals({
      stop: () => {
        this.#stopAsked = true;
        this.#handlers?.stop();
      },
      reload: () => this.#handlers?.reload(),
      save: () => this.#handlers?.save(),
      printSubscriptions: () => this.#handlers?.printSubscriptions(),
    });
  }

  /** From now on somebody can answer; a stop that was asked for before is answered at once. */
  serve(handlers: SignalHandlers): void {
    this.#handlers = handlers;
    if (this.#stopAsked) handlers.stop();
  }

  close(): void {
    this.#stopListening();
  }
}
