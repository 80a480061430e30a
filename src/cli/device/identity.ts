/** The device that is meant. */
import { PkiError, type Ledger, type RegisteredIdentity } from '../../pki/mod.ts';
import { nearestName } from '../nearest-name.ts';

export function identityNamed(ledger: Ledger, name: string): RegisteredIdentity {
  const identity = ledger.identities.get(name);
  if (identity) return identity;
  const meant = nearestName(name, [...ledger.identities.keys()]);
  throw new PkiError({
    code: 'device.unknown',
    where: name,
    saw: 'there is no device of that name',
    why: 'A device is known here from the moment it is added.',
    remedy: [
      meant === null ? 'zancudo device list shows all.' : `Did you mean ${meant}? zancudo device list shows all.`,
    ],
  });
}
