/**
 * What goes wrong in one plugin: said in the log, without a line for each time, and counted, so that one that fails all
 * the time ends in the state its operator has chosen.
 *
 *   fault ── log: at once, then once in ten seconds for each hook, with the number since
 *     └───── more than `faultsMax` in a minute ──> faulty, until the plugin is loaded anew
 */
import type { Log } from '../broker/ports.ts';

const MINUTE_MS = 60_000;
const SILENCE_MS = 10_000;

export class Faults {
  /** True once there were too many. */
  tooMany = false;
  total = 0;
  readonly #name: string;
  readonly #max: number;
  readonly #consequence: string;
  readonly #log: Log;
  readonly #now: () => number;
  #inMinute = 0;
  #minuteSince = -Infinity;
  /** By hook: when it was last spoken of, and how often it has failed since. */
  readonly #said = new Map<string, { at: number; unsaid: number }>();

  constructor(name: string, max: number, consequence: string, log: Log, now: () => number) {
    this.#name = name;
    this.#max = max;
    this.#consequence = consequence;
    this.#log = log;
    this.#now = now;
  }

  /** `hook` failed, and `so` is what became of what it was asked. */
  note(hook: string, error: unknown, so: string): void {
    const now = this.#now();
    this.total++;
    if (now - this.#minuteSince >= MINUTE_MS) [this.#minuteSince, this.#inMinute] = [now, 0];
    this.#inMinute++;
    this.#say(now, hook, error, so);
    if (this.tooMany || this.#max === 0 || this.#inMinute <= this.#max) return;
    this.tooMany = true;
    const text = `Plugin ${this.#name} has failed more than ${this.#max} times in a minute: ${this.#consequence}.`;
    this.#log.write('error', text, 'plugin.too-many-faults');
    this.#log.write(
      'error',
      '  Mend it and send SIGHUP (zancudo reload), which loads it anew.',
      'plugin.too-many-faults',
    );
  }

  #say(now: number, hook: string, error: unknown, so: string): void {
    const said = this.#said.get(hook);
    if (said !== undefined && now - said.at < SILENCE_MS) return void said.unsaid++;
    const unsaid = said?.unsaid ?? 0;
    const more = unsaid === 0 ? '' : ` It failed ${unsaid} times more since the last such line.`;
    this.#log.write(
      'error',
      `Plugin ${this.#name} failed in ${hook}: ${faultText(error)}; ${so}.${more}`,
      'plugin.fault',
    );
    this.#said.set(hook, { at: now, unsaid: 0 });
  }
}

/** The message and the place in the plugin's file, on one line. */
export function faultText(error: unknown): string {
  if (!(error instanceof Error)) return `it threw ${String(error)}`;
  const place = /^\s+at .*?\(?((?:file:|\/)[^)\n]+:\d+:\d+)\)?$/m.exec(error.stack ?? '')?.[1];
  const [message = ''] = `${error.name}: ${error.message}`.split('\n');
  return place === undefined ? message : `${message} (${place.replace(/^file:\/\//, '').replace(/\?zancudo=\d+/, '')})`;
}
