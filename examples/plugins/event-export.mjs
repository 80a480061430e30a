/**
 * What happens in the broker, one JSON object a line: into a file, or to a web server in batches.
 *
 *   plugin ./event-export.mjs
 *   plugin_opt_to /var/log/zancudo/events.jsonl          or http://127.0.0.1:9000/events
 *   plugin_opt_messages alarms/#
 *
 * Connects, disconnects, subscriptions, and the messages that `messages` names (none unless given). The broker never waits
 * for it: what the other end does not take is kept up to a bound, then the oldest goes and the loss is itself an event.
 */
import { appendFile } from 'node:fs/promises';

const WAITING_MAX = 10_000;
const BATCH_MAX = 500;
const PAUSE_MS = 1000;

/** @type {import('zancudo/plugin').PluginModule} */
export default broker => {
  const { to, messages } = broker.options;
  if (to === undefined) throw new Error('plugin_opt_to has to name a file or a URL');
  const deliver = /^https?:/.test(to) ? post(to) : append(to);
  // After a reload the new instance goes on with what this one had still to write.
  /** @type {object[]} */
  const waiting = [.../** @type {object[]} */ (broker.handedOver ?? [])];
  let lost = 0;
  /** @type {Promise<void> | null} */
  let working = null;
  let ended = false;

  /** @param {string} event @param {object} facts */
  function note(event, facts) {
    waiting.push({ at: new Date().toISOString(), event, ...facts });
    forgetOldest();
    working ??= work().finally(() => (working = null));
  }

  function forgetOldest() {
    const tooMany = waiting.length - WAITING_MAX;
    if (tooMany > 0) lost += waiting.splice(0, tooMany).length;
  }

  async function work() {
    while (waiting.length > 0 && !ended) {
      const batch = waiting.splice(0, BATCH_MAX);
      if (lost > 0) batch.unshift({ at: new Date().toISOString(), event: 'lost', count: lost });
      lost = 0;
      try {
        await deliver(batch.map(each => `${JSON.stringify(each)}\n`).join(''));
      } catch (error) {
        broker.log('warning', `${to} takes no events: ${error instanceof Error ? error.message : error}`);
        waiting.unshift(...batch);
        forgetOldest();
        await new Promise(resolve => setTimeout(resolve, PAUSE_MS));
      }
    }
  }

  return {
    onConnect: ({ clientId, username, address }) => note('connect', { clientId, username, address }),
    onDisconnect: ({ clientId }, { reason }) => note('disconnect', { clientId, reason }),
    onSubscribe: ({ clientId }, { filter, qos }) => note('subscribe', { clientId, filter, qos }),
    onUnsubscribe: ({ clientId }, { filter }) => note('unsubscribe', { clientId, filter }),
    onPublish({ topic, payload, qos }, { clientId }) {
      if (messages !== undefined && broker.matches(messages, topic))
        note('message', { clientId, topic, qos, payload: payload.toString('base64') });
    },
    async handOver() {
      ended = true;
      await working;
      return waiting.splice(0);
    },
    async stop() {
      // One more try for what is left; the broker waits for plugin_timeout and no longer.
      ended = true;
      await working;
      ended = false;
      await Promise.race([work(), new Promise(resolve => setTimeout(resolve, PAUSE_MS))]);
      ended = true;
    },
  };
};

/** @param {string} file @returns {(text: string) => Promise<void>} */
function append(file) {
  return text => appendFile(file, text, { mode: 0o600 });
}

/** @param {string} url @returns {(text: string) => Promise<void>} */
function post(url) {
  return async text => {
    const headers = { 'content-type': 'application/x-ndjson' };
    const response = await fetch(url, { method: 'POST', body: text, headers, signal: AbortSignal.timeout(4000) });
    if (!response.ok) throw new Error(`it answered ${response.status}`);
  };
}
