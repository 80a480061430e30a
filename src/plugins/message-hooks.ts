/**
 * The plugins that look at messages, one behind the other: each sees what those before it have made of the message.
 *
 *   message ── first ── second ── ... ── the heart            kept back by one: nobody behind it is asked
 *
 * Whoever fails keeps the message back: it was there to look at it, and has not.
 */
import type {
  BrokerEvents,
  HookAnswer,
  HookedMessage,
  Hooks,
  Identity,
  MessageChange,
  MessageKept,
} from '../broker/ports.ts';
import { incomingAnswer, outgoingAnswer, REFUSED } from './answers.ts';
import { clientOf } from './clients.ts';
import { FAILED, type LoadedPlugin } from './plugin.ts';
import type { Plugin } from './types.ts';

/** Who is asked about a client. */
export type PluginsFor = (who: Identity) => readonly LoadedPlugin[];

type Ask = (plugin: LoadedPlugin, message: HookedMessage) => HookAnswer | typeof FAILED;

/** What the plugins of a broker want; what none of them has is null. */
export function hooksOf(all: readonly LoadedPlugin[], pluginsFor: PluginsFor): Hooks {
  const has = (...names: (keyof Plugin)[]): boolean =>
    all.some(({ hooks }) => names.some(name => hooks[name] !== undefined));
  return {
    incoming: has('messageIn')
      ? (message, from) => throughAll(pluginsFor(from), 'messageIn', message, askIn(from))
      : null,
    outgoing: has('messageOut')
      ? (message, to, from) => throughAll(pluginsFor(to), 'messageOut', message, askOut(to, from))
      : null,
    events: has('onConnect', 'onDisconnect', 'onSubscribe', 'onUnsubscribe', 'onPublish')
      ? eventsFor(pluginsFor, has('onPublish'))
      : null,
  };
}

function askIn(from: Identity): Ask {
  return (plugin, message) =>
    plugin.ask(
      'messageIn',
      'the message is refused',
      hooks => hooks.messageIn?.(message, clientOf(from)),
      answer => incomingAnswer(answer, message.topic),
    );
}

function askOut(to: Identity, from: Identity | null): Ask {
  return (plugin, message) =>
    plugin.ask(
      'messageOut',
      'the message is not delivered',
      hooks => hooks.messageOut?.(message, clientOf(to), from === null ? null : clientOf(from)),
      outgoingAnswer,
    );
}

function throughAll(
  plugins: readonly LoadedPlugin[],
  hook: 'messageIn' | 'messageOut',
  message: HookedMessage,
  ask: Ask,
): HookAnswer {
  let seen = message;
  let whole: MessageChange | null = null;
  for (const plugin of plugins) {
    if (plugin.hooks[hook] === undefined || plugin.state === 'left out') continue;
    if (plugin.state === 'refuses') return failed(plugin, 'has failed too often (plugin_when_faulty refuse)');
    const answer = ask(plugin, seen);
    if (answer === FAILED) return failed(plugin, 'failed to answer');
    if (answer === null) continue;
    if (isKept(answer)) return { ...answer, kept: `plugin ${plugin.plan.name}: ${answer.kept}` };
    whole = Object.assign(whole ?? {}, answer);
    seen = withChange(seen, answer);
  }
  return whole;
}

function failed({ plan }: LoadedPlugin, what: string): MessageKept {
  return { kept: `plugin ${plan.name} ${what}`, reasonCode: REFUSED };
}

function isKept(answer: NonNullable<HookAnswer>): answer is MessageKept {
  return 'kept' in answer;
}

/** Spreading would not reach what is behind the getters of a message. */
function withChange(message: HookedMessage, change: MessageChange): HookedMessage {
  const { topic, payload, qos, retain, properties } = message;
  return { topic, payload, qos, retain, properties, ...change };
}

function eventsFor(pluginsFor: PluginsFor, wantsMessages: boolean): BrokerEvents {
  const each = (who: Identity, tell: (plugin: LoadedPlugin) => void): void => pluginsFor(who).forEach(tell);
  return {
    connected: who =>
      each(who, plugin => {
        if (plugin.hooks.onConnect) plugin.tell('onConnect', hooks => hooks.onConnect?.(clientOf(who)));
      }),
    disconnected: (who, reason) =>
      each(who, plugin => {
        if (plugin.hooks.onDisconnect)
          plugin.tell('onDisconnect', hooks => hooks.onDisconnect?.(clientOf(who), { reason }));
      }),
    subscribed: (who, filter, qos) =>
      each(who, plugin => {
        if (plugin.hooks.onSubscribe)
          plugin.tell('onSubscribe', hooks => hooks.onSubscribe?.(clientOf(who), { filter, qos }));
      }),
    unsubscribed: (who, filter) =>
      each(who, plugin => {
        if (plugin.hooks.onUnsubscribe)
          plugin.tell('onUnsubscribe', hooks => hooks.onUnsubscribe?.(clientOf(who), { filter }));
      }),
    published: wantsMessages
      ? (message, from, matched) =>
          each(from, plugin => {
            if (plugin.hooks.onPublish)
              plugin.tell('onPublish', hooks => hooks.onPublish?.(message, clientOf(from), { matched }));
          })
      : null,
  };
}
