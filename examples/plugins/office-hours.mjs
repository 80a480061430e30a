/**
 * Rules by the time of day: machines may be commanded while somebody is there to see them move.
 *
 *   plugin ./office-hours.mjs
 *   plugin_opt_topics machines/+/command
 *   plugin_opt_from 07:00
 *   plugin_opt_until 19:00
 *   plugin_opt_always foreman
 *
 * `topics` is a filter (several with spaces between), `always` names users whom the hours do not bind. Who publishes
 * outside the hours is refused with the reason in the log; everything else is left to the other rules.
 */

/** @type {import('zancudo/plugin').PluginModule} */
export default broker => {
  const { topics = '#', from = '08:00', until = '18:00', always = '' } = broker.options;
  const filters = topics.split(/\s+/);
  const exempt = new Set(always.split(/\s+/).filter(name => name !== ''));
  const hours = { from: minutesOf(from), until: minutesOf(until) };

  // The broker remembers answers for as long as a client stays on its topic, so it has to be told when they change.
  let timer = setTimeout(turn, millisecondsToTurn(new Date(), hours));
  function turn() {
    broker.log('notice', isOpen(new Date(), hours) ? `open until ${until}` : `closed until ${from}`);
    broker.rulesChanged();
    timer = setTimeout(turn, millisecondsToTurn(new Date(), hours));
  }

  return {
    authorize({ action, topic, client }) {
      if (action !== 'publish' || exempt.has(client.username ?? '')) return;
      if (!filters.some(filter => broker.matches(filter, topic))) return;
      if (isOpen(new Date(), hours)) return;
      return { deny: `${topic} is closed from ${until} to ${from}` };
    },
    stop: () => clearTimeout(timer),
  };
};

/** @param {string} text `07:30` */
export function minutesOf(text) {
  const [, hours, minutes] = /^(\d{1,2}):(\d{2})$/.exec(text) ?? [];
  const sum = Number(hours) * 60 + Number(minutes);
  if (Number(minutes) < 60 && sum <= 24 * 60) return sum;
  throw new Error(`'${text}' is no time of day: write it as 07:30`);
}

/** Hours may cross midnight; the same time twice is never open. @param {Date} now @param {Hours} hours */
export function isOpen(now, { from, until }) {
  const minute = now.getHours() * 60 + now.getMinutes();
  return from <= until ? minute >= from && minute < until : minute >= from || minute < until;
}

/** Until the next moment at which it opens or closes, within this hour. @param {Date} now @param {Hours} hours */
export function millisecondsToTurn(now, { from, until }) {
  const passed = ((now.getHours() * 60 + now.getMinutes()) * 60 + now.getSeconds()) * 1000 + now.getMilliseconds();
  const day = 24 * 3_600_000;
  const ahead = [from, until].map(minutes => (minutes * 60_000 - passed + day) % day || day);
  // Clocks are set, and summer time comes: looking once an hour costs nothing.
  return Math.min(...ahead, 3_600_000);
}

/** @typedef {{ from: number, until: number }} Hours minutes of the day */
