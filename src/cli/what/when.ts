/**
 * Times as people say them, in the time of this machine.
 *
 *   03:12  03:12:30      today, or yesterday when that is still to come
 *   2026-11-22 03:12     that day; also with a T, a zone (Z, +01:00), or the date alone
 *   90s 30m 2h 3d        so long ago
 *   now
 */
import { UsageError } from '../ca/subcommand.ts';

const seconds: Readonly<Record<string, number>> = { s: 1, m: 60, min: 60, h: 3600, d: 86_400 };
const DAY_MS = 86_400_000;

/** Unix milliseconds. */
export function momentOf(text: string, now: number): number {
  if (text === 'now') return now;
  const [, amount, unit] = /^(\d{1,6})\s*(s|min|m|h|d)$/.exec(text) ?? [];
  if (amount !== undefined && unit !== undefined) return now - Number(amount) * seconds[unit]! * 1000;
  const found = clockTime(text, now) ?? dateTime(text);
  if (found !== null) return found;
  throw new UsageError(`'${text}' is no time: write 03:12, '2026-11-22 03:12' or 2h (two hours ago).`);
}

function clockTime(text: string, now: number): number | null {
  const [, hour, minute, second = '0'] = /^(\d{1,2}):(\d{2})(?::(\d{2}))?$/.exec(text) ?? [];
  if (hour === undefined || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return null;
  const today = new Date(now).setHours(Number(hour), Number(minute), Number(second), 0);
  return today <= now ? today : new Date(today - DAY_MS).setHours(Number(hour), Number(minute), Number(second), 0);
}

function dateTime(text: string): number | null {
  if (!/^\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$/.test(text)) return null;
  // A date alone would be midnight in Greenwich, and is meant here.
  const at = Date.parse(text.length === 10 ? `${text}T00:00` : text.replace(' ', 'T'));
  return Number.isNaN(at) ? null : at;
}
