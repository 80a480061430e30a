/** The certificates that an operator sees: each once, whoever shows or trusts it. */
import type { CertificateStatus } from '../admin/mod.ts';

/**
 * The issuing CA stands in a chain behind the certificate of a listener, in its cafile, and on every other listener again:
 * one certificate, whose end is one event. What it is for is told by the strongest of its kinds.
 */
export function eachOnce(certificates: readonly CertificateStatus[]): CertificateStatus[] {
  const found = new Map<string, CertificateStatus>();
  for (const each of certificates) {
    const isCertificate = each.kind === 'certificate' || each.kind === 'ca';
    const key = JSON.stringify([isCertificate ? '' : each.kind, each.subject, each.ends]);
    const before = found.get(key);
    found.set(key, before === undefined ? each : together(before, each));
  }
  return [...found.values()].sort((a, b) => a.ends - b.ends);
}

function together(a: CertificateStatus, b: CertificateStatus): CertificateStatus {
  const names = new Set([...a.of.split(', '), ...b.of.split(', ')]);
  const trusted = [a, b].find(({ kind }) => kind === 'ca') ?? a;
  return { ...trusted, of: [...names].join(', ') };
}
