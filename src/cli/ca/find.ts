/** Which certificate is meant: by the name of its owner, or by serial number. */
import { PkiError, type IssuedCertificate, type Ledger } from '../../pki/mod.ts';
import { nearestName } from '../nearest-name.ts';

/** The latest of that name, or the one with that serial number (colons and case do not matter). */
export function findCertificate(ledger: Ledger, which: string): IssuedCertificate {
  const found = findCertificates(ledger, which).at(-1);
  if (found) return found;
  const names = [...new Set(ledger.certificates.map(each => each.name))];
  const meant = nearestName(which, names);
  throw new PkiError({
    code: 'cli.no-such-certificate',
    where: which,
    saw: 'no certificate of that name or serial number was issued here',
    why: 'Only what this CA has issued can be renewed or shown.',
    remedy: [meant === null ? 'zancudo ca list' : `Did you mean ${meant}? zancudo ca list shows all.`],
  });
}

export function findCertificates(ledger: Ledger, which: string): IssuedCertificate[] {
  const serial = serialNumber(which);
  return ledger.certificates.filter(each => each.name === which || each.serial === serial);
}

export function serialNumber(text: string): string {
  const hex = text
    .replaceAll(':', '')
    .toUpperCase()
    .replace(/^(00)+(?=..)/, '');
  return hex.length % 2 === 0 ? hex : `0${hex}`;
}
