/**
 * What a check saw, why it matters, what to do. Start-up, reload, the log and the doctor all speak in findings.
 */
export type Severity = 'error' | 'warning' | 'note';

export interface Finding {
  /** Stable, for machines and for searching: `tls.key-too-small`. */
  code: string;
  /** `error` stops something from working, `warning` will hurt somebody, `note` is worth knowing. */
  severity: Severity;
  /** The file, line or listener it is about. */
  where: string;
  saw: string;
  why: string;
  /** One line each: a sentence, or a command that can be pasted as it stands. */
  remedy: string[];
}

/** The finding as log lines: what was seen and why first, then the remedy, indented. */
export function findingLines(finding: Finding): string[] {
  const { where, saw, why, remedy } = finding;
  return [`${where}: ${saw}`, `  ${why}`, ...remedy.map(line => `  ${line}`)];
}

/** The same for a terminal, with the code that `zancudo help` explains; the log adds it by itself. */
export function codedLines(finding: Finding): string[] {
  const [first, ...rest] = findingLines(finding);
  return [`${first} [${finding.code}]`, ...rest];
}
