/**
 * Reading is the state of one pass over a configuration: where we are, and which listener, bridge and plugin are current.
 *
 *   listener 1883        <- current listener
 *   max_qos 1            belongs to it
 *   connection up        <- current bridge; the listener stays current
 *   include_dir conf.d   inside, all three are "none"; afterwards they are what they were
 *   max_connections 9    belongs to 1883 again
 *
 * It hands out the object an option belongs to, or refuses in Mosquitto's words when there is none.
 */
import { refuse } from './error.ts';
import type { Fate } from './options/row.ts';
import type { ConfMessage } from './result.ts';
import type { AuthBackendSettings } from './settings-backend.ts';
import type { BridgeSettings } from './settings-bridge.ts';
import type { ListenerSettings, Place, PluginSettings, SecurityScope, Settings } from './settings.ts';
import { newListener, newSecurityScope, newSettings } from './settings.ts';

/** What an option needs around it. */
export type Needs =
  'nothing' | 'listener' | 'listener or default' | 'explicit listener' | 'security' | 'backend' | 'bridge' | 'plugin';

/** A plugin and the listener it serves; null for every one. */
export interface Attachment {
  plugin: PluginSettings;
  listener: ListenerSettings | null;
}

/** An option whose fate is not to work here. */
export interface Unfulfilled {
  option: string;
  fate: Fate;
  place: Place;
}

interface Current {
  listener: ListenerSettings | null;
  backend: AuthBackendSettings | null;
  bridge: BridgeSettings | null;
  plugin: PluginSettings | null;
}

export class Reading {
  readonly settings: Settings;
  readonly messages: ConfMessage[] = [];
  readonly attachments: Attachment[] = [];
  readonly unfulfilled: Unfulfilled[] = [];
  /** The line being read. */
  place: Place;
  current: Current = { listener: null, backend: null, bridge: null, plugin: null };
  #defaultListener: ListenerSettings | null = null;
  #securityTouched = false;
  readonly #begun = new Set<string>();

  /** Reads every file of a directory at this point. */
  readonly include: (directory: string) => void;

  constructor(path: string | null, include: (directory: string, reading: Reading) => void) {
    this.include = directory => include(directory, this);
    this.settings = newSettings(path);
    this.place = { file: path ?? '', line: 0 };
  }

  say(as: ConfMessage['as'], ...lines: string[]): void {
    for (const text of lines) this.messages.push({ as, text });
  }

  /** True the first time: a list that the file begins itself replaces the default one. */
  begins(list: string): boolean {
    const first = !this.#begun.has(list);
    this.#begun.add(list);
    return first;
  }

  /** Runs `inside` with nothing current, as every included file begins, and goes back to what was. */
  apart(inside: () => void): void {
    const { current, place } = this;
    this.current = { listener: null, backend: null, bridge: null, plugin: null };
    inside();
    this.current = current;
    this.place = place;
  }

  addListener(port: number): ListenerSettings {
    const listener = { ...newListener(port, newSecurityScope()), place: this.place };
    this.settings.listeners.push(listener);
    this.settings.localOnly = false;
    this.current.listener = listener;
    return listener;
  }

  /** The listener that `port`, `bind_address` and options without a listener line share: all addresses, port 1883. */
  defaultListener(option: string): ListenerSettings {
    if (this.#defaultListener === null) {
      this.say(
        'information',
        `Creating default listener due to '${option}' option.`,
        `It is best practice to define a 'listener' first. Using the '${option}' option without a listener will be disabled in the future.`,
      );
      this.#defaultListener = this.addListener(1883);
      this.#defaultListener.isDefault = true;
    }
    this.current.listener = this.#defaultListener;
    return this.#defaultListener;
  }

  listener(needs: Needs, option: string): ListenerSettings {
    const { listener } = this.current;
    if (listener === null && needs === 'listener or default') return this.defaultListener(option);
    if (listener === null || (listener.isDefault && needs === 'explicit listener')) this.#needsListener(option);
    return listener;
  }

  #needsListener(option: string): never {
    refuse(
      `Error: The '${option}' option requires a listener to be defined first.`,
      `Write a line such as 'listener 8883' above it. In an included file a listener of another file does not count.`,
    );
  }

  security(option: string): SecurityScope {
    this.#securityTouched = true;
    if (!this.settings.perListenerSettings) return this.settings.security;
    return this.listener('listener', option).security;
  }

  backend(option: string): AuthBackendSettings {
    return (
      this.current.backend ??
      refuse(
        `Error: The '${option}' option requires an auth_backend to be defined first.`,
        `Write a line such as 'auth_backend postgresql' above it.`,
      )
    );
  }

  bridge(option: string): BridgeSettings {
    return (
      this.current.bridge ??
      refuse(
        `Error: The '${option}' option requires a bridge to be defined first.`,
        `Write a line such as 'connection name' above it.`,
      )
    );
  }

  plugin(option: string): PluginSettings {
    if (this.current.plugin !== null) return this.current.plugin;
    if (option === 'auth_plugin_deny_special_chars') {
      refuse('Error: An auth_plugin_deny_special_chars option exists in the config file without a plugin.');
    }
    refuse(
      `Error: The '${option}' option requires plugin/global_plugin/plugin_load to be defined first.`,
      `Write the 'plugin' line above it.`,
    );
  }

  usePerListenerSettings(): void {
    if (this.#securityTouched) {
      refuse(
        'Error: per_listener_settings must be set before any other security settings.',
        'Make it the first line of the file, above every allow_anonymous, password_file, acl_file, psk_file and plugin.',
      );
    }
    this.settings.perListenerSettings = true;
  }
}
