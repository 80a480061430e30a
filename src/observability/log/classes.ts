/**
 * The classes of log lines. A row says where a line of that class goes:
 * the severity syslog gets (RFC 5424, table 2), and the topic of `log_dest topic` (null: never published, because a
 * line about publishing would make another line).
 */
import type { LogClass } from '../../broker/ports.ts';

export interface LogClassRow {
  name: LogClass;
  /** Written when the configuration has no log_type line. */
  byDefault: boolean;
  syslogSeverity: number;
  topic: string | null;
}

export const logClasses: readonly LogClassRow[] = [
  { name: 'error', byDefault: true, syslogSeverity: 3, topic: '$SYS/broker/log/E' },
  { name: 'warning', byDefault: true, syslogSeverity: 4, topic: '$SYS/broker/log/W' },
  { name: 'notice', byDefault: true, syslogSeverity: 5, topic: '$SYS/broker/log/N' },
  { name: 'information', byDefault: true, syslogSeverity: 6, topic: '$SYS/broker/log/I' },
  { name: 'debug', byDefault: false, syslogSeverity: 7, topic: null },
  { name: 'subscribe', byDefault: false, syslogSeverity: 5, topic: '$SYS/broker/log/M/subscribe' },
  { name: 'unsubscribe', byDefault: false, syslogSeverity: 5, topic: '$SYS/broker/log/M/unsubscribe' },
  { name: 'internal', byDefault: false, syslogSeverity: 7, topic: null },
  { name: 'websockets', byDefault: false, syslogSeverity: 7, topic: '$SYS/broker/log/WS' },
];

const rowsByName = new Map(logClasses.map(row => [row.name, row]));

export function logClassRow(name: LogClass): LogClassRow {
  return rowsByName.get(name) as LogClassRow;
}

export const defaultLogClasses: readonly LogClass[] = logClasses.filter(row => row.byDefault).map(row => row.name);
