/**
 * Mosquitto declares topics and names as STRING, which SQLite reads as NUMERIC: the topic `007` would be kept as the
 * number 7 and come back as `7` (docs/compat/persist-sqlite.md, 7). Text that such a column would change is bound as a
 * blob, which NUMERIC leaves alone and Mosquitto's reader takes as text; everything else stays text, so that
 * Mosquitto finds its rows.
 */
const looksNumeric = /^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$/;

/** Numbers that SQLite writes back exactly as they were: 64 bits hold 18 digits; long decimals may gain a digit. */
const staysInteger = /^(0|-?[1-9]\d{0,17})$/;
const staysReal = /^-?(?=[\d.]{3,9}$)(0\.(?!000)|[1-9]\d*\.)\d*[1-9]$/;

export function survivesNumericAffinity(text: string): boolean {
  return !looksNumeric.test(text) || staysInteger.test(text) || staysReal.test(text);
}

/** What to bind to a column declared STRING. */
export function forStringColumn(text: string): string | Buffer {
  return survivesNumericAffinity(text) ? text : Buffer.from(text);
}
