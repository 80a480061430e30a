/** `zancudo what happened to WHO`: the events of one, as a story. */
import type { OperatorsClient } from '../../admin/mod.ts';
import {
  type Chapter,
  type EventRecord,
  recordOf,
  recordsOf,
  sentenceOf,
  spanText,
  storyOf,
  timeText,
} from '../../observability/recorder/mod.ts';
import { type Call, UsageError } from '../ca/subcommand.ts';
import { nearestName } from '../nearest-name.ts';
import { shown } from '../operate/words.ts';
import { systemWords } from '../system-words.ts';
import { folded, type Run } from './fold.ts';
import { recordPlace } from './place.ts';
import { momentOf } from './when.ts';

/** Without --since. */
const DAY_MS = 86_400_000;

export async function tellWhatHappened(call: Call): Promise<number> {
  const who = call.words[0] ?? null;
  const now = call.context.wall();
  const until = momentOf(call.value('--until') ?? 'now', now);
  const since = momentOf(call.value('--since') ?? new Date(until - DAY_MS).toISOString(), now);
  if (since > until) throw new UsageError('--since is later than --until.');
  const records = await recordsFor(call);
  if (records === null) return 1;
  const chapter = storyOf(records, { who, since, until });
  if (call.has('--json')) call.say(...chapter.events.map(jsonLine));
  else if (who !== null && chapter.clients.length === 0 && chapter.before === 0 && !chapter.events.some(isNamed(who))) nobody(call, who, chapter);
  else call.say(...storyLines(who, since, until, now, chapter));
  return 0;
} // prettier-ignore

/** Null when there is none; why was said. */
async function recordsFor(call: Call): Promise<Iterable<EventRecord> | null> {
  const place = await recordPlace(call);
  if ('lines' in place) {
    call.warn(...place.lines);
    return null;
  }
  if (place.folder === null) return recordsInMemory(call);
  try {
    const records = recordsOf(place.folder);
    const first = records.next();
    return first.done === true ? [] : startingWith(first.value, records);
  } catch (error) {
    call.warn(...unreadable(place.folder, error));
    return null;
  }
}

function* startingWith(first: EventRecord, rest: Iterable<EventRecord>): Generator<EventRecord> {
  yield first;
  yield* rest;
}

/** A broker without a place for files has the last events in its memory. */
async function recordsInMemory(call: Call): Promise<EventRecord[] | null> {
  const { withBroker } = await import('../operate/ask-broker.ts');
  const records: EventRecord[] = [];
  const ask = async (broker: OperatorsClient): Promise<number> => {
    for await (const { line } of broker.list<{ line: string }>('/v1/record')) {
      const record = recordOf(line);
      if (record !== null) records.push(record);
    }
    return 0;
  };
  if ((await withBroker(call, ask)) === 0) return records;
  call.warn(
    "  Its record is in its memory alone; 'flight_recorder_location DIRECTORY' in its configuration gives it files.",
  );
  return null;
}

function unreadable(folder: string, error: unknown): string[] {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return [
      `Error: There is no record in ${folder}.`,
      '  A broker makes it when it is started. One with a configuration file is named by -c FILE, another home by --home DIR.',
    ];
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return [
      `Error: This user may not read ${folder}.`,
      '  It is for the user that the broker runs as, and for root: sudo, or sudo -u USER.',
    ];
  }
  if (code === undefined) throw error;
  return [`Error: ${folder}: ${systemWords(error)}.`];
}

const isNamed = (who: string) => ({ facts }: EventRecord): boolean => Object.values(facts).includes(who); // prettier-ignore

function jsonLine({ at, event, facts }: EventRecord): string {
  return JSON.stringify({ time: new Date(at).toISOString(), at, event, ...facts, text: sentenceOf({ at, event, facts }) });
} // prettier-ignore

function nobody(call: Call, who: string, { others, oldest }: Chapter): void {
  if (oldest === null) return call.say('The record is empty.');
  const meant = nearestName(who, others) ?? others.find(name => name.toLowerCase().includes(who.toLowerCase())) ?? null;
  call.say(
    `The record, which begins at ${timeText(oldest)}, knows nobody by the name ${shown(who)}.${meant === null ? '' : ` Did you mean ${shown(meant)}?`}`,
    "WHO is a client identifier, a user name, a certificate's name or serial number, an address or a bridge.",
  );
}

function storyLines(who: string | null, since: number, until: number, now: number, chapter: Chapter): string[] {
  const { events, clients, before, oldest, state } = chapter;
  const several = clients.length > 1;
  const of = who === null ? 'What did not go as it should' : shown(who);
  const named = several ? `, ${clients.length} clients` : clients.length === 1 && clients[0] !== who && who !== null ? `, client ${shown(clients[0]!)}` : '';
  const begins = oldest !== null && oldest > since ? ` The record begins at ${timeText(oldest)}.` : '';
  const earlier = before > 0 ? ` ${before} earlier events are told with --since.` : '';
  const head = `${of}${named}, from ${timeText(since)} to ${until === now ? 'now' : timeText(until)}.${begins}${earlier}`;
  const told = events.length === 0 ? ['', 'Nothing.'] : dayLines(events, several ? null : (clients[0] ?? who));
  return [head, ...told, ...stateLines(state, until, now)];
} // prettier-ignore

/** `who` is not named on the lines that are about it; null names everybody. */
function dayLines(events: readonly EventRecord[], who: string | null): string[] {
  const lines: string[] = [];
  let day = '';
  for (const run of folded(events, alike)) {
    const { items } = run;
    for (const event of items) {
      const [date, time] = timeText(event.at).split(' ') as [string, string];
      if (date !== day) lines.push('', date);
      day = date;
      lines.push(`  ${time}  ${shown(named(event, who))}`);
    }
    if (run.again > 0) lines.push(`            ${againText(run, day)}`);
  }
  return lines;
}

function named(event: EventRecord, who: string | null): string {
  const client = event.facts['client'];
  const prefix = client === undefined || client === who ? '' : `${String(client)}: `;
  return prefix + sentenceOf(event);
}

function againText({ items, again, last }: Run<EventRecord>, day: string): string {
  const at = timeText(last.at);
  const which = items.length === 1 ? 'the same' : `these ${items.length} lines`;
  return `... ${which} ${again} times more, the last time at ${at.startsWith(day) ? at.slice(11) : at}`;
}

/** Numbers (ports, seconds, counts) do not make it another event. */
function alike(event: EventRecord): string {
  return `${event.event} ${String(event.facts['client'] ?? '')} ${sentenceOf(event).replace(/\d[\d.]*( (d|h|min|s|kB|MB|bytes))*/g, '#')}`;
}

function stateLines(state: Chapter['state'], until: number, now: number): string[] {
  if (state === null) return [];
  const what = state.connected ? 'connected' : 'not connected';
  const when = until === now ? 'is' : 'was';
  return ['', `It ${when} ${what} since ${timeText(state.since)} (${spanText((until - state.since) / 1000)}).`];
}
