/** The reference page of the $SYS topics, written from the table by scripts/reference-sys.ts. */
import { bridgeTopicRows } from './bridge-topics.ts';
import { loadWindows } from './load-average.ts';
import { sysTopicRows, type SysRule, type SysTopicRow } from './sys-topics.ts';

const rules: Record<SysRule, string> = {
  once: 'once at the start',
  tick: 'every tick',
  changed: 'at a tick, when it changed',
  upward: 'at a tick, when it has grown',
  load: 'at a tick, when it moved by 0.01',
};

const introduction = `# $SYS topics

Generated from \`src/observability/sys-topics.ts\` and \`src/observability/bridge-topics.ts\` by \`scripts/reference-sys.ts\`; changes made here are lost.

The broker publishes what it knows about itself: retained, QoS 2, without expiry. A tick is when unix time is a multiple of
\`sys_interval\` (10 seconds unless configured). Everything is published once at the start. With \`sys_interval 0\` there is
nothing below \`$SYS\`. Values are decimal integers unless the unit says otherwise. Clients cannot publish here, and the
filter \`#\` does not match these topics.

| topic | unit | published | what it says |
|---|---|---|---|
`;

const bridges = `
Of each bridge, below \`$SYS/zancudo/bridges/NAME/\`, retained, within a second of a change:

| topic | what it says |
|---|---|
`;

const perTopicLine = `| \`topics/N/out\`, \`topics/N/in\` | messages that have passed by the Nth topic line |
`;

const ending = `
Loads have two decimals and are averages like those of a Unix machine: every tick, dt seconds after the last one, with
x = events * 60 / dt, the value becomes x + e^(-dt/T) * (value - x), where T is 60, 300 or 900 seconds.

Lines of the log appear below \`$SYS/broker/log/\` with \`log_dest topic\`: \`E\` error, \`W\` warning, \`N\` notice,
\`I\` information, \`M/subscribe\` and \`M/unsubscribe\`, \`WS\` WebSockets. They are QoS 2, not retained, and expire after
20 seconds.
`;

export function sysTopicsPage(): string {
  const ofBridges = bridgeTopicRows.map(({ topic, says }) => `| \`${topic}\` | ${says} |\n`);
  return [introduction, ...sysTopicRows.flatMap(tableLines), bridges, ...ofBridges, perTopicLine, ending].join('');
}

function tableLines(row: SysTopicRow): string[] {
  if (row.rule === 'load') return loadWindows.map(window => tableLine(row, `${row.topic}/${window.name}`));
  const names = row.alias === undefined ? row.topic : `${row.topic}\`, \`${row.alias}`;
  return [tableLine(row, names)];
}

function tableLine(row: SysTopicRow, names: string): string {
  return `| \`${names}\` | ${row.unit} | ${rules[row.rule]} | ${row.says} |\n`;
}
