/**
 * Payloads as they should be: JSON with the fields that a file names, or the message is refused; and units made equal.
 *
 *   plugin ./payload-check.mjs
 *   plugin_opt_rules /etc/zancudo/payloads.json
 *
 *   { "sensors/+/climate": { "celsius": { "type": "number", "min": -60, "max": 90 }, "battery": { "type": "number", "optional": true } } }
 *
 * A publisher of MQTT 5 is told "payload format invalid"; the log says which field it was. A climate in `fahrenheit` goes
 * on in `celsius`, and what was changed carries a user property that says so.
 */
import { readFileSync } from 'node:fs';

/** @type {import('zancudo/plugin').PluginModule} */
export default broker => {
  const { rules: file } = broker.options;
  if (file === undefined) throw new Error('plugin_opt_rules has to name a JSON file');
  /** @type {[string, Record<string, FieldRule>][]} */
  const rules = Object.entries(JSON.parse(readFileSync(file, 'utf8')));

  return {
    messageIn(message) {
      const rule = rules.find(([filter]) => broker.matches(filter, message.topic));
      // An empty payload takes a retained message away.
      if (rule === undefined || message.payload.length === 0) return;
      const fields = parsed(message.payload);
      if (fields === null) return refused(`${message.topic} is not a JSON object`);
      const changed = inCelsius(fields);
      const wrong = firstFault(fields, rule[1]);
      if (wrong !== null) return refused(`${message.topic}: ${wrong}`);
      if (!changed) return;
      const before = message.properties.userProperties ?? [];
      return {
        payload: JSON.stringify(fields),
        properties: { ...message.properties, userProperties: [...before, ['converted', 'fahrenheit']] },
      };
    },
  };
};

/** @param {string} why */
function refused(why) {
  return { refuse: why, code: /** @type {const} */ ('payload-format-invalid') };
}

/** @param {Buffer} payload @returns {Record<string, unknown> | null} */
function parsed(payload) {
  try {
    const value = JSON.parse(payload.toString());
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

/** @param {Record<string, unknown>} fields */
function inCelsius(fields) {
  const { fahrenheit } = fields;
  if (typeof fahrenheit !== 'number' || fields.celsius !== undefined) return false;
  delete fields.fahrenheit;
  fields.celsius = Math.round((fahrenheit - 32) * (50 / 9)) / 10;
  return true;
}

/** @param {Record<string, unknown>} fields @param {Record<string, FieldRule>} rule */
function firstFault(fields, rule) {
  for (const [name, { type, min = -Infinity, max = Infinity, optional = false }] of Object.entries(rule)) {
    const value = fields[name];
    if (value === undefined && optional) continue;
    if (value === undefined) return `'${name}' is missing`;
    if (typeof value !== type) return `'${name}' is no ${type}`;
    if (typeof value === 'number' && !(value >= min && value <= max)) return `'${name}' is not in ${min} to ${max}`;
  }
  const strange = Object.keys(fields).find(name => !Object.hasOwn(rule, name));
  return strange === undefined ? null : `'${strange}' is not in the rules`;
}

/** @typedef {{ type: 'number' | 'string' | 'boolean', min?: number, max?: number, optional?: boolean }} FieldRule */
