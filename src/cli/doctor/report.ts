/** Findings as people read them, and as machines do. */
import type { Finding, Severity } from '../../base/mod.ts';
import type { Fix } from './fixes.ts';
import type { Mended } from './mend.ts';

export interface Report {
  what: string;
  findings: readonly { finding: Finding; fix: Fix | null }[];
  mended: readonly Mended[];
}

/** 2 is kept for a command line that cannot be understood, as everywhere. */
const exitCodes: Record<Severity, number> = { note: 0, warning: 1, error: 3 };

export function exitCodeOf({ findings }: Report): number {
  return Math.max(0, ...findings.map(({ finding }) => exitCodes[finding.severity]));
}

const labels: Record<Severity, string> = { error: 'ERROR  ', warning: 'WARNING', note: 'NOTE   ' };

export function reportText({ what, findings, mended }: Report): string {
  const blocks = findings.map(({ finding }) => findingText(finding));
  return [`Looked at ${what}.`, ...mended.map(mendedText), ...blocks, summary(findings)].join('\n\n') + '\n';
}

function findingText({ code, severity, where, saw, why, remedy }: Finding): string {
  const indent = ' '.repeat(8);
  return [`${labels[severity]} ${where} [${code}]`, `${indent}${saw}`, `${indent}${why}`, ...remedy.map(each => `${indent}> ${each}`)].join('\n'); // prettier-ignore
}

function mendedText({ says, copies, failure }: Mended): string {
  const head = failure === null ? `MENDED  ${says}` : `NOT MENDED  ${says}: ${failure}`;
  return [head, ...copies.map(copy => `        what was there before: ${copy}`)].join('\n');
}

function summary(findings: Report['findings']): string {
  if (findings.length === 0) return 'Nothing is wrong here.';
  const count = (severity: Severity, word: string): string[] => {
    const found = findings.filter(({ finding }) => finding.severity === severity).length;
    return found === 0 ? [] : [`${found} ${word}${found === 1 ? '' : 's'}`];
  };
  const counted = [...count('error', 'error'), ...count('warning', 'warning'), ...count('note', 'note')].join(', ');
  const mendable = findings.filter(({ fix }) => fix !== null).length;
  return `${counted}.${mendable === 0 ? '' : ` With --fix the doctor mends ${mendable} of them.`}`;
}

export function reportJson(report: Report): string {
  const { what, findings, mended } = report;
  return JSON.stringify(
    {
      what,
      exitCode: exitCodeOf(report),
      mended,
      findings: findings.map(({ finding, fix }) => ({
        ...finding,
        fix: fix === null ? null : { safe: fix.isSafe, says: fix.says },
      })),
    },
    null,
    2,
  );
}
