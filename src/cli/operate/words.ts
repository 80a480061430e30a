/** Numbers as operators read them, and what may not reach a terminal as it is. */
export { spanText } from '../../base/mod.ts';

export function bytesText(bytes: number): string {
  for (const [unit, size] of [['GB', 1e9], ['MB', 1e6], ['kB', 1e3]] as const) {
    if (bytes >= size) return `${rounded(bytes / size)} ${unit}`;
  } // prettier-ignore
  return `${Math.round(bytes)} B`;
}

/** A count per minute, as one per second where that is easier to read. */
export function rateText(perMinute: number): string {
  return perMinute >= 120 ? `${rounded(perMinute / 60)} a second` : `${rounded(perMinute)} a minute`;
}

function rounded(value: number): string {
  return value >= 100 || Number.isInteger(value) ? String(Math.round(value)) : value.toFixed(1);
}

/** Client identifiers and topics are the clients' own words: control characters in them are shown, not obeyed. */
export function shown(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, character => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
