/** Topic names and topic filters (MQTT 5, 4.7). Text is already valid MQTT UTF-8 when it gets here. */

/** Mosquitto's limit on `/` in a name or filter; it bounds the depth of our trees. */
export const LEVELS_MAX = 200;

const SLASH = 0x2f;
const PLUS = 0x2b;
const HASH = 0x23;

/** A topic name: not empty, no wildcards, at most 200 slashes. [MQTT-4.7.3-1], [MQTT-3.3.2-2] */
export function isValidTopicName(name: string): boolean {
  if (name.length === 0) return false;
  let slashes = 0;
  for (let i = 0; i < name.length; i++) {
    const c = name.charCodeAt(i);
    if (c === PLUS || c === HASH) return false;
    if (c === SLASH && ++slashes > LEVELS_MAX) return false;
  }
  return true;
}

/** A topic filter: `+` fills a level, `#` fills the last one. [MQTT-4.7.1-1], [MQTT-4.7.1-2] */
export function isValidFilter(filter: string): boolean {
  if (filter.length === 0) return false;
  let slashes = 0;
  for (let i = 0; i < filter.length; i++) {
    const c = filter.charCodeAt(i);
    if (c === SLASH) {
      if (++slashes > LEVELS_MAX) return false;
    } else if (c === PLUS || c === HASH) {
      const startsLevel = i === 0 || filter.charCodeAt(i - 1) === SLASH;
      const endsLevel = i === filter.length - 1 || (c === PLUS && filter.charCodeAt(i + 1) === SLASH);
      if (!startsLevel || !endsLevel) return false;
    }
  }
  return true;
}

/**
 * Whether a topic name falls under a filter. `sport/#` also matches `sport` (4.7.1.2); a filter that starts with a
 * wildcard matches no topic that starts with `$`. [MQTT-4.7.2-1]
 */
export function matchesFilter(filter: string, topicName: string): boolean {
  const f0 = filter.charCodeAt(0);
  if (topicName.charCodeAt(0) === 0x24 && (f0 === PLUS || f0 === HASH)) return false;
  let f = 0;
  let t = 0;
  for (;;) {
    if (filter.charCodeAt(f) === HASH) return true;
    if (filter.charCodeAt(f) === PLUS) {
      f++;
      while (t < topicName.length && topicName.charCodeAt(t) !== SLASH) t++;
    } else {
      while (f < filter.length && filter.charCodeAt(f) !== SLASH) {
        if (filter.charCodeAt(f) !== topicName.charCodeAt(t)) return false;
        f++;
        t++;
      }
    }
    if (t === topicName.length) return f === filter.length || (f === filter.length - 2 && filter.endsWith('/#'));
    if (f === filter.length || topicName.charCodeAt(t) !== SLASH) return false;
    f++;
    t++;
  }
}
