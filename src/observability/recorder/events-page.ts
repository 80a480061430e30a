/** The reference page of the events, written from the table by scripts/reference-events.ts. */
import { eventNames, eventRows } from './events.ts';

const introduction = `# Events

Generated from \`src/observability/recorder/events.ts\` by \`scripts/reference-events.ts\`; changes made here are lost.

The flight recorder writes these; \`zancudo what happened to WHO\` tells them
([operations.md](../guides/operations.md#what-happened-to-a-client)).

## The files

In the folder of the record lie files of lines, \`00000001.jsonl\`, \`00000002.jsonl\` and so on, the newest last, mode 0600.
When all of them together would be larger than \`flight_recorder_size\`, the oldest one is removed. Each line is one JSON object:

\`\`\`
{"at":1795324110738,"event":"client.connected","client":"lamp-1","address":"192.0.2.7","port":55706, ...}
\`\`\`

\`at\` is Unix time in milliseconds, \`event\` a name from the table, and the rest its facts, in any order. A fact that is not
known is absent. Texts are cut at 1000 characters, lists at 50 items. A line that is no JSON object is the torn end of what
was written when the power went, and is to be passed over; so is an event of a name that the reader does not know. Lines
reach the kernel within half a second, so that they outlive the process whatever becomes of it; to the disk itself they come
when the kernel writes them.

A client, or an address that never became one, may cause 60 events a minute; further ones are counted only (\`record.folded\`).

## The table

In the sentences \`{field}\` stands for the fact of that name, \`{seconds|span}\` for the fact told as a span of time, and a
part in [brackets] is left out where one of its facts is missing. What concerns everybody (starts, stops, crashes, the store, the
clock, gaps) is told in everybody's story.

| event | severity | when | told as |
|---|---|---|---|
`;

export function eventsPage(): string {
  return introduction + eventNames.map(tableLine).join('');
}

function tableLine(name: (typeof eventNames)[number]): string {
  const { severity, says, tells } = eventRows[name];
  return `| \`${name}\` | ${severity} | ${says} | ${tells.replaceAll('|', '\\|')} |\n`;
}
