/** From an event's row and its facts to the sentence that tells it; events.ts says what a row's text may hold. */
import { spanText as unitsText } from '../../base/mod.ts';
import { eventRows } from './events.ts';
import type { EventRecord } from './record.ts';

export function sentenceOf(record: EventRecord): string {
  const row = (eventRows as Readonly<Record<string, { tells: string } | undefined>>)[record.event];
  if (row === undefined) return `${record.event} ${JSON.stringify(record.facts)}`;
  // Split before it is filled: facts are other people's words, and may hold brackets and braces.
  const parts = row.tells.split(/\[([^\]]*)\]/).map((part, i) => filled(part, record.facts, i % 2 === 0) ?? '');
  return parts.join('');
}

/** Null when a fact is missing and `always` does not ask for it all the same. */
function filled(text: string, facts: EventRecord['facts'], always = false): string | null {
  let complete = true;
  const told = text.replace(/\{(\w+)(?:\|(\w+))?\}/g, (_, field: string, as: string | undefined) => {
    const fact = facts[field];
    const isEmpty = fact === undefined || fact === '' || fact === 0 || (Array.isArray(fact) && fact.length === 0);
    if (isEmpty && !always) complete = false;
    return inWords(fact ?? '', as);
  });
  return complete ? told : null;
}

const counted =
  (noun: string) =>
  (count: string | number): string =>
    `${count} ${noun}${Number(count) === 1 ? '' : 's'}`;

const words: Readonly<Record<string, (fact: string | number) => string>> = {
  span: seconds => spanText(Number(seconds)),
  bytes: bytes => bytesText(Number(bytes)),
  time: at => timeText(Number(at)),
  ...Object.fromEntries(['message', 'event', 'client', 'subscription'].map(noun => [`${noun}s`, counted(noun)])),
  times: count => (Number(count) === 1 ? 'once' : `${count} times`),
  jump: seconds => `${Number(seconds) < 0 ? '-' : '+'}${spanText(Math.abs(Number(seconds)))}`,
  machine: state => (state === 'restarted' ? 'the machine was started anew since' : 'the machine went on'),
};

function inWords(fact: string | number | readonly string[], as: string | undefined): string {
  if (typeof fact === 'object') return fact.join(', ');
  return as === undefined ? String(fact) : (words[as]?.(fact) ?? String(fact));
}

/** The two largest units: `3 d 4 h`. */
export function spanText(seconds: number): string {
  return seconds < 1 ? 'less than a second' : unitsText(seconds);
}

function bytesText(bytes: number): string {
  if (bytes >= 1e6) return `${(bytes / 1e6).toFixed(1)} MB`;
  return bytes >= 1e3 ? `${(bytes / 1e3).toFixed(1)} kB` : `${bytes} bytes`;
}

/** `2026-11-22 03:12:04`, in the time of this machine. */
export function timeText(at: number): string {
  const d = new Date(at);
  const two = (n: number): string => String(n).padStart(2, '0');
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())} ${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
}
