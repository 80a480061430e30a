/** `ca revoke`: by name, serial number, or a certificate file that an imported CA once issued. */
import fs from 'node:fs';
import { certificatesOf, PkiError, type Registry, withRegistry } from '../../pki/mod.ts';
import { writeAccess } from '../../server/devices/mod.ts';
import { findCertificate, findCertificates } from './find.ts';
import { becauseOption } from './options.ts';
import type { Call, Subcommand } from './subcommand.ts';

export const revokeCommand: Subcommand = {
  name: 'revoke',
  operands: 'NAME|SERIAL|FILE.crt',
  atLeast: 1,
  atMost: 1,
  options: [becauseOption],
  says: 'Take certificates back, all of that name: connections are closed at once, and nobody comes in with them again.',
  async run(call) {
    const [which = ''] = call.words;
    const serials = await withRegistry(call.home, async registry => {
      const found = serialsOf(registry, which);
      registry.revoke(found, call.value('--because') ?? '');
      registry.publish();
      writeAccess(registry);
      return found;
    });
    sayRevoked(call, which, serials.length);
    return 0;
  },
};

export function sayRevoked(call: Call, which: string, count: number): void {
  call.say(
    `${which}: ${count} certificate${count === 1 ? '' : 's'} revoked, for good.`,
    'A broker that runs on this home closes its connections at once. Another one has to be told: zancudo signal -a config-reload',
  );
}

function serialsOf({ ledger, authority }: Registry, which: string): string[] {
  if (!fs.existsSync(which)) {
    findCertificate(ledger, which);
    return findCertificates(ledger, which).map(each => each.serial);
  }
  const [certificate] = certificatesOf(fs.readFileSync(which, 'utf8'));
  const cas = [authority.issuer.certificate, authority.root, ...(authority.previous ? [authority.previous] : [])];
  if (certificate && cas.some(ca => certificate.checkIssued(ca))) return [certificate.serialNumber];
  throw new PkiError({
    code: 'cli.not-ours',
    where: which,
    saw: certificate
      ? `it was issued by "${certificate.issuer.replaceAll('\n', ', ')}"`
      : 'there is no certificate in it',
    why: 'A CA takes back only what it has issued.',
    remedy: ['zancudo ca list shows what was issued here.'],
  });
}
