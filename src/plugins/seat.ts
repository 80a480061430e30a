/** The place of one plugin line: who sits there may change with a reload, whom it speaks for too. */
import type { Identity, ListenerRules } from '../broker/ports.ts';
import type { LoadedPlugin } from './plugin.ts';

export class Seat {
  plugin: LoadedPlugin;
  /** Null for every client, those of bridges too. */
  listeners: ReadonlySet<ListenerRules> | null;

  constructor(plugin: LoadedPlugin, listeners: ReadonlySet<ListenerRules> | null) {
    this.plugin = plugin;
    this.listeners = listeners;
  }

  serves({ listener }: Identity): boolean {
    return this.listeners === null || this.listeners.has(listener);
  }
}
