/** Every option, by chapter. Whoever wants to know something of options walks these rows. */
import { abuse } from './abuse.ts';
import { access } from './access.ts';
import { backends } from './backends.ts';
import { bridgeTls } from './bridge-tls.ts';
import { bridges } from './bridges.ts';
import { enrolment } from './enrolment.ts';
import { limits } from './limits.ts';
import { listeners } from './listeners.ts';
import { logging } from './logging.ts';
import { otel } from './otel.ts';
import { persistence } from './persistence.ts';
import { plugins } from './plugins.ts';
import { processOptions } from './process.ts';
import { answersTo, type OptionRow } from './row.ts';
import { tls } from './tls.ts';

export interface Chapter {
  title: string;
  rows: readonly OptionRow[];
}

export const chapters: readonly Chapter[] = [
  { title: 'Listeners', rows: listeners },
  { title: 'TLS and certificates', rows: tls },
  { title: 'Certificates for devices', rows: enrolment },
  { title: 'Access', rows: access },
  { title: 'Users in databases', rows: backends },
  { title: 'Plugins', rows: plugins },
  { title: 'Limits', rows: limits },
  { title: 'Against abuse', rows: abuse },
  { title: 'Persistence', rows: persistence },
  { title: 'Log and state', rows: logging },
  { title: 'Traces for OpenTelemetry', rows: otel },
  { title: 'Process and files', rows: processOptions },
  { title: 'Bridges', rows: bridges },
  { title: 'Bridges over TLS', rows: bridgeTls },
];

export const optionRows: readonly OptionRow[] = chapters.flatMap(chapter => chapter.rows);

const byName = new Map(optionRows.flatMap(row => [row.name, ...(row.aliases ?? [])].map(name => [name, row] as const)));
const byPrefix = optionRows.filter(row => row.name.endsWith('*'));

export function findOption(written: string): OptionRow | null {
  return byName.get(written) ?? byPrefix.find(row => answersTo(row, written)) ?? null;
}

export const optionNames: readonly string[] = [...byName.keys()];
