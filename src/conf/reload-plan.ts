/**
 * What SIGHUP may do with a configuration that was read again.
 *
 *   old, new ── same ports? ── no ──> refused whole, nothing changes
 *                  │ yes
 *                  └── every row of the table: changed? ── live: applies now ── restart: the old value stays, one line says so
 *
 * The plan brings the settings to apply: the new ones, with the old value wherever only a restart can change it.
 */
import { foundAt, placeText } from './error.ts';
import type { OptionRow, Reload } from './options/row.ts';
import { optionRows } from './options/table.ts';
import type { ConfFailure, ConfMessage } from './result.ts';
import { listenerKey, type ListenerSettings, type Place, type Places, type Settings } from './settings.ts';

export interface SettingChange {
  option: string;
  /** `port 8883`, a socket path, or null for what concerns all. */
  listener: string | null;
  from: unknown;
  to: unknown;
  /** Where the new value stands; null when the option is gone. */
  place: Place | null;
}

export type ReloadPlan =
  | { ok: true; settings: Settings; live: SettingChange[]; restart: SettingChange[]; messages: ConfMessage[] }
  | { ok: false; failure: ConfFailure };

export function planReload(old: Settings, next: Settings): ReloadPlan {
  const pairs = pairListeners(old, next);
  if ('failure' in pairs) return { ok: false, failure: pairs.failure };
  const plan = new Plan();
  const settings: Settings = { ...next, log: { ...next.log }, listeners: [] };
  plan.compare('global', null, old, settings, next.places);
  plan.compare('log', null, old.log, settings.log, next.places);
  plan.keepDynamicSecurity(old, settings);
  for (const { before, after } of pairs.pairs) {
    const listener = withTurnOf(before, after);
    settings.listeners.push(listener);
    plan.compareListener(before, listener);
  }
  return { ok: true, settings, live: plan.live, restart: plan.restart, messages: plan.restart.map(restartMessage) };
}

interface Pair {
  before: ListenerSettings;
  after: ListenerSettings;
}

/** Dynamic security is loaded at the start alone, as Mosquitto loads its plugins: a line taken out opens nothing. */
function withTurnOf({ security }: ListenerSettings, after: ListenerSettings): ListenerSettings {
  return { ...after, security: { ...after.security, dynamicSecurity: security.dynamicSecurity } };
}

/** In the old order, whatever the order in the file: open ports and their rules are matched by their place in the list. */
function pairListeners(old: Settings, next: Settings): { pairs: Pair[] } | { failure: ConfFailure } {
  const left = [...next.listeners];
  const pairs: Pair[] = [];
  let gone: string | null = null;
  for (const before of old.listeners) {
    const index = left.findIndex(after => listenerKey(after) === listenerKey(before));
    const [after] = index < 0 ? [] : left.splice(index, 1);
    if (after === undefined) gone ??= listenerKey(before);
    else pairs.push({ before, after });
  }
  const [added] = left;
  if (added !== undefined) return { failure: portsDiffer(`${listenerKey(added)} is new`, added.place) };
  return gone === null ? { pairs } : { failure: portsDiffer(`${gone} is gone`, null) };
}

function portsDiffer(what: string, place: Place | null): ConfFailure {
  return {
    lines: [
      'Error: It is not currently possible to add/remove listeners when reloading the config file.',
      ...(place === null ? [] : foundAt(place)),
    ],
    explanation: [`${what}. Nothing has been changed; restart to open and close ports.`],
    exitCode: 3,
  };
}

/** Whether a listener speaks TLS cannot change under its open connections; these settings wait together. */
const tlsFields = ['certfile', 'keyfile', 'certfileRsa', 'keyfileRsa', 'cafile', 'capath', 'crlfile', 'requireCertificate', 'requestCertificate']; // prettier-ignore

class Plan {
  readonly live: SettingChange[] = [];
  readonly restart: SettingChange[] = [];

  /** Puts the old value back into `after` where a change has to wait. */
  compare(scope: OptionRow['scope'], listener: string | null, before: object, after: object, places: Places): void {
    this.#compare(scope, listener, before, after, places, row => row.reload);
  }

  keepDynamicSecurity(old: Settings, settings: Settings): void {
    const { dynamicSecurity: from } = old;
    const { dynamicSecurity: to } = settings;
    settings.dynamicSecurity = from;
    if (text(from) === text(to)) return;
    const place = to?.place ?? null;
    this.restart.push({ option: 'plugin', listener: null, from: from?.configFile, to: to?.configFile, place });
  }

  compareListener(before: ListenerSettings, after: ListenerSettings): void {
    const tlsToggled = (before.certfile === null) !== (after.certfile === null);
    const waits = (row: OptionRow): Reload =>
      tlsToggled && row.fields.some(field => tlsFields.includes(field)) ? 'restart' : row.reload;
    const name = listenerKey(after);
    this.#compare('listener', name, before, after, after.places, waits);
    this.#compare('security', name, before.security, after.security, after.security.places, row => row.reload);
  }

  #compare(
    scope: OptionRow['scope'],
    listener: string | null,
    before: object,
    after: object,
    places: Places,
    reloadOf: (row: OptionRow) => Reload,
  ): void {
    const seen = new Set<string>();
    for (const row of optionRows) {
      const [field] = row.fields;
      // Bridges are compared and told one by one by those who run them, without their passwords.
      if (row.scope !== scope || field === undefined || field === 'bridges' || seen.has(field)) continue;
      seen.add(field);
      const [from, to] = [valueOf(before, field), valueOf(after, field)];
      if (text(from) === text(to)) continue;
      const change: SettingChange = { option: row.name, listener, from, to, place: places[row.name] ?? null };
      if (reloadOf(row) === 'live') this.live.push(change);
      else {
        this.restart.push(change);
        for (const each of row.fields) (after as Record<string, unknown>)[each] = valueOf(before, each);
      }
    }
  }
}

const valueOf = (scope: object, field: string): unknown => (scope as Record<string, unknown>)[field];

/** A value as text, without the places in it: a line that has moved has not changed. */
function text(value: unknown): string {
  return JSON.stringify(value, (key, each: unknown) => (key === 'place' || key === 'places' ? undefined : each));
}

function restartMessage({ option, listener, from, to, place }: SettingChange): ConfMessage {
  const where = place === null ? '' : `${placeText(place)}: `;
  const of = listener === null ? '' : ` of ${listener}`;
  return {
    as: 'warning',
    text: `${where}'${option}'${of} has changed from ${text(from)} to ${text(to)}: it takes effect at the next start.`,
  };
}
