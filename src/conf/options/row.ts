/**
 * OptionRow: everything there is to know of one option. Reader, checks, reference page, reload plan and tests walk
 * these rows and know nothing of any single option themselves.
 *
 * A chapter file writes rows with one of the makers below. `field` is checked by the compiler against the object the
 * option belongs to; an option that is more than one field brings its own `put`.
 */
import type { ValueType } from './types.ts';
import { refuse } from '../error.ts';
import type { Needs, Reading } from '../reading.ts';
import type { AuthBackendSettings } from '../settings-backend.ts';
import type { BridgeSettings } from '../settings-bridge.ts';
import type { ListenerSettings, LogSettings, Places, PluginSettings, SecurityScope, Settings } from '../settings.ts';
import type { Argument } from './argument.ts';

/** What becomes of an option here. None is ignored in silence. */
export type Fate =
  | { kind: 'works' }
  /** Accepted; a log line says why it changes nothing. */
  | { kind: 'without effect'; why: string }
  /** Refused for good; a log line says why and what to do instead. */
  | { kind: 'refused'; why: string };

export const works: Fate = { kind: 'works' };
export const withoutEffect = (why: string): Fate => ({ kind: 'without effect', why });
export const refused = (why: string): Fate => ({ kind: 'refused', why });

/** What SIGHUP does with a changed value. */
export type Reload =
  /** Applies at once, or to what is opened and sent from then on. */
  | 'live'
  /** Applies at the next start; the old value stays and a log line says so. */
  | 'restart'
  /** The whole reload is refused: ports cannot be opened or closed while running. */
  | 'identity'
  /** Means nothing at reload. */
  | 'none';

export type ScopeName = 'global' | 'log' | 'security' | 'listener' | 'backend' | 'bridge' | 'plugin';

interface Facts<T> {
  /** As written in a file; a final `*` stands for any ending. */
  name: string;
  aliases?: readonly string[];
  says: string;
  /** The default, where the settings object does not say it plainly. */
  standard?: string;
  /** First version of Mosquitto that has it; `ours` for options that only Zancudo has. */
  since: string;
  reload: Reload;
  fate?: Fate;
  /** The fate counts for these values only; `when` says which. Other values work. */
  only?: { when: string; test: (value: T) => boolean };
  /** Mosquitto's advice when it calls the option deprecated; may be empty. */
  deprecated?: string;
  /** Where we do not do what Mosquitto does, and why. */
  differs?: string;
  /** A second line for it is an error, the last line counts, or each adds. Numbers and words: the last counts. */
  repeat?: 'error' | 'last' | 'add';
  /** How Mosquitto calls it in its error lines, if not by its name. */
  calls?: string;
}

export interface Row<T> extends Facts<T> {
  type: ValueType<T>;
}

/** A row as the walkers see it. */
export interface OptionRow extends Facts<unknown> {
  type: ValueType<unknown>;
  needs: Needs;
  scope: ScopeName;
  fate: Fate;
  /** The fields of the scope object it may change; the reload plan compares them. */
  fields: readonly string[];
  /** Reads the argument and puts the value where it belongs. */
  apply(argument: Argument, reading: Reading, written: string): void;
}

/** The keys of a scope object that can hold a T. */
type FieldFor<Scope, T> = { [K in keyof Scope]-?: T extends Scope[K] ? K : never }[keyof Scope] & string;

interface Scopes {
  global: Settings;
  log: LogSettings;
  security: SecurityScope;
  listener: ListenerSettings;
  backend: AuthBackendSettings;
  bridge: BridgeSettings;
  plugin: PluginSettings;
}

const findScope: { [S in ScopeName]: (reading: Reading, needs: Needs, written: string) => Scopes[S] } = {
  global: reading => reading.settings,
  log: reading => reading.settings.log,
  security: (reading, _needs, written) => reading.security(written),
  listener: (reading, needs, written) => reading.listener(needs, written),
  backend: (reading, _needs, written) => reading.backend(written),
  bridge: (reading, _needs, written) => reading.bridge(written),
  plugin: (reading, _needs, written) => reading.plugin(written),
};

interface Placement<T, S extends ScopeName> {
  scope: S;
  needs: Needs;
  fields: readonly string[];
  put: (scope: Scopes[S], value: T, reading: Reading, written: string) => void;
}

function make<T, S extends ScopeName>(row: Row<T>, { scope, needs, fields, put }: Placement<T, S>): OptionRow {
  const fate = row.fate ?? works;
  const apply = (argument: Argument, reading: Reading, written: string): void => {
    const target = findScope[scope](reading, needs, written);
    if (row.deprecated !== undefined) {
      reading.say(
        'notice',
        `The '${written}' option is now deprecated and will be removed in version 3.0. ${row.deprecated}`.trimEnd(),
      );
    }
    const places: Places = 'places' in target ? target.places : reading.settings.places;
    checkRepeat(row, places, reading, written);
    const value = row.type.read(argument, row.calls ?? written);
    put(target, value, reading, written);
    places[row.name] = reading.place;
    if (fate.kind !== 'works' && (row.only === undefined || row.only.test(value))) {
      reading.unfulfilled.push({ option: written, fate, place: reading.place });
    }
  };
  // The walkers hand a row only values that its own type has read.
  return { ...(row as Facts<unknown> & { type: ValueType<T> }), fate, needs, scope, fields, apply };
}

function checkRepeat(row: Facts<never>, places: Places, reading: Reading, written: string): void {
  const before = places[row.name];
  if (before === undefined || row.repeat === undefined || row.repeat === 'add') return;
  if (row.repeat === 'error') {
    refuse(
      `Error: Duplicate '${row.calls ?? written}' value in configuration.`,
      `The first one is at ${before.file}:${before.line}; take one of them out.`,
    );
  }
  const { file, line } = reading.place;
  reading.say(
    'warning',
    `${file}:${line}: '${written}' was set at ${before.file}:${before.line} already; this line counts.`,
  );
}

function assign(scope: object, field: string, value: unknown): void {
  (scope as Record<string, unknown>)[field] = value;
}

type FieldRow<T, S extends ScopeName> = Row<T> & { field: FieldFor<Scopes[S], T> };

function fieldRow<T, S extends ScopeName>(row: FieldRow<T, S>, scope: S, needs: Needs): OptionRow {
  const put = (target: Scopes[S], value: T): void => assign(target, row.field, value);
  return make<T, S>(row, { scope, needs, fields: [row.field], put });
}

export const globalOption = <T>(row: FieldRow<T, 'global'>): OptionRow =>
  fieldRow<T, 'global'>(row, 'global', 'nothing');
export const logOption = <T>(row: FieldRow<T, 'log'>): OptionRow => fieldRow<T, 'log'>(row, 'log', 'nothing');
export const securityOption = <T>(row: FieldRow<T, 'security'>): OptionRow =>
  fieldRow<T, 'security'>(row, 'security', 'security');
export const backendOption = <T>(row: FieldRow<T, 'backend'>): OptionRow =>
  fieldRow<T, 'backend'>(row, 'backend', 'backend');
export const bridgeOption = <T>(row: FieldRow<T, 'bridge'>): OptionRow =>
  fieldRow<T, 'bridge'>(row, 'bridge', 'bridge');

/** Makes the default listener when there is none yet, as Mosquitto still does for its oldest listener options. */
export const listenerOption = <T>(row: FieldRow<T, 'listener'>): OptionRow =>
  fieldRow<T, 'listener'>(row, 'listener', 'listener or default');
/** Needs a `listener`, `port` or `bind_address` line above it. */
export const innerListenerOption = <T>(row: FieldRow<T, 'listener'>): OptionRow =>
  fieldRow<T, 'listener'>(row, 'listener', 'listener');

/** An option that does more than fill one field. */
export function specialOption<T, S extends ScopeName>(row: Row<T> & Placement<T, S>): OptionRow {
  return make<T, S>(row, row);
}

/** `name` of a row, or for `plugin_opt_*` whether `written` begins so. */
export function answersTo(row: OptionRow, written: string): boolean {
  return [row.name, ...(row.aliases ?? [])].some(name =>
    name.endsWith('*') ? written.startsWith(name.slice(0, -1)) : written === name,
  );
}
