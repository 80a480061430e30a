/** What ends within a month: said while there is time. What has ended is said by the checks of the certificate. */
import type { Finding } from '../../base/mod.ts';
import { daysText, expiriesOf, expiriesOfDevices, timeText, type Expiry, type TlsFiles } from '../../pki/mod.ts';

const soonMs = 30 * 86_400_000;

export function endsSoon(files: TlsFiles, now: number): Finding[] {
  return expiriesOf(files).flatMap(each => soon(each, now, `Renew it before then; the broker takes the new file at SIGHUP.`));
} // prettier-ignore

export function devicesEndSoon(home: string, now: number): Finding[] {
  return expiriesOfDevices(home, now).flatMap(each => soon(each, now, `zancudo device renew ${each.name}`));
}

function soon({ kind, name, subject, ends }: Expiry, now: number, remedy: string): Finding[] {
  if (ends < now || ends - now > soonMs) return [];
  return [
    {
      code: `expiry.${kind}`,
      severity: 'warning',
      where: name,
      saw: `"${subject}" ends in ${daysText(ends - now)}, on ${timeText(ends)}`,
      why:
        kind === 'revocation-list' ? 'From then on every client of that CA is refused.' : 'From then on it is refused.',
      remedy: [remedy],
    },
  ];
}
