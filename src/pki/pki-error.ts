import type { Finding } from '../base/mod.ts';

/** Something could not be done; the finding says where, why and what to do. */
export class PkiError extends Error {
  readonly finding: Finding;

  constructor(finding: Omit<Finding, 'severity'>) {
    super(`${finding.where}: ${finding.saw}`);
    this.name = 'PkiError';
    this.finding = { ...finding, severity: 'error' };
  }
}
