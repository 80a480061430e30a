/**
 * strftime in the C locale and local time. A format is compiled once into pieces; a
 * directive that is not in the table stays in the text as it was written.
 */
type Directive = (when: Date) => string;

const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const months = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

const two = (value: number) => String(value).padStart(2, '0');
const three = (value: number) => String(value).padStart(3, '0');
const spaced = (value: number) => String(value).padStart(2, ' ');
const dayName = (when: Date) => days[when.getDay()] as string;
const monthName = (when: Date) => months[when.getMonth()] as string;
const hour12 = (when: Date) => when.getHours() % 12 || 12;

const directives: Record<string, Directive> = {
  a: when => dayName(when).slice(0, 3),
  A: dayName,
  b: when => monthName(when).slice(0, 3),
  B: monthName,
  c: strftime('%a %b %e %H:%M:%S %Y'),
  C: when => two(Math.floor(when.getFullYear() / 100)),
  d: when => two(when.getDate()),
  D: strftime('%m/%d/%y'),
  e: when => spaced(when.getDate()),
  F: strftime('%Y-%m-%d'),
  G: when => String(isoWeek(when).year),
  g: when => two(isoWeek(when).year % 100),
  h: when => monthName(when).slice(0, 3),
  H: when => two(when.getHours()),
  I: when => two(hour12(when)),
  j: when => three(dayOfYear(when) + 1),
  k: when => spaced(when.getHours()),
  l: when => spaced(hour12(when)),
  m: when => two(when.getMonth() + 1),
  M: when => two(when.getMinutes()),
  n: () => '\n',
  p: when => (when.getHours() < 12 ? 'AM' : 'PM'),
  P: when => (when.getHours() < 12 ? 'am' : 'pm'),
  r: strftime('%I:%M:%S %p'),
  R: strftime('%H:%M'),
  s: when => String(Math.floor(when.getTime() / 1000)),
  S: when => two(when.getSeconds()),
  t: () => '\t',
  T: strftime('%H:%M:%S'),
  u: when => String(when.getDay() || 7),
  U: when => two(Math.floor((dayOfYear(when) + 7 - when.getDay()) / 7)),
  V: when => two(isoWeek(when).week),
  w: when => String(when.getDay()),
  W: when => two(Math.floor((dayOfYear(when) + 7 - ((when.getDay() + 6) % 7)) / 7)),
  x: strftime('%m/%d/%y'),
  X: strftime('%H:%M:%S'),
  y: when => two(when.getFullYear() % 100),
  Y: when => String(when.getFullYear()),
  z: offset,
  Z: zoneName,
  '%': () => '%',
};

/** Makes the function that writes a moment in `format`. Compound directives look the table up when they run. */
export function strftime(format: string): Directive {
  const pieces = format.match(/%[\s\S]|[^%]+|%$/g) ?? [];
  return when => pieces.map(piece => (piece.startsWith('%') ? expand(piece, when) : piece)).join('');
}

function expand(piece: string, when: Date): string {
  const letter = piece.charAt(1);
  return Object.hasOwn(directives, letter) ? (directives[letter] as Directive)(when) : piece;
}

/** From 0. Counted in calendar days, so that a change of the clocks does not matter. */
function dayOfYear(when: Date): number {
  const today = Date.UTC(when.getFullYear(), when.getMonth(), when.getDate());
  return (today - Date.UTC(when.getFullYear(), 0, 1)) / 86_400_000;
}

/** ISO 8601: the week belongs to the year that its Thursday is in. */
function isoWeek(when: Date): { year: number; week: number } {
  const thursday = new Date(when.getFullYear(), when.getMonth(), when.getDate() + 4 - (when.getDay() || 7));
  return { year: thursday.getFullYear(), week: Math.floor(dayOfYear(thursday) / 7) + 1 };
}

function offset(when: Date): string {
  const minutes = -when.getTimezoneOffset();
  const size = Math.abs(minutes);
  return (minutes < 0 ? '-' : '+') + two(Math.floor(size / 60)) + two(size % 60);
}

/** Each knows the short names of its own part of the world, such as EST, CET and AEST, and says GMT+1 for the others. */
const localesWithZones = ['en-US', 'en-GB', 'en-AU', 'en-IN', 'en-ZA'];

function zoneName(when: Date): string {
  const names = localesWithZones.map(locale => {
    const parts = new Intl.DateTimeFormat(locale, { timeZoneName: 'short' }).formatToParts(when);
    return parts.find(part => part.type === 'timeZoneName')?.value ?? '';
  });
  return names.find(name => !/^GMT[+-]/.test(name)) ?? names[0] ?? '';
}
