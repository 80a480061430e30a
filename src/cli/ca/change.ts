/** `ca import`, `ca rollover`: another root. */
import fs from 'node:fs';
import path from 'node:path';
import { findingLines } from '../../base/mod.ts';
import type { readLedger } from '../../pki/mod.ts';
import { adoptRoot, isEncrypted, readForeignCa, rollOver, settleRoot, timeText, withRegistry } from '../../pki/mod.ts';
import { SecretPrompt } from '../secret-prompt.ts';
import { refreshServerCertificates } from './init.ts';
import { keyKindOf, keyOption } from './options.ts';
import { UsageError, type Call, type Subcommand } from './subcommand.ts';

export const importCommand: Subcommand = {
  name: 'import',
  operands: 'CA.crt CA.key',
  atLeast: 2,
  atMost: 2,
  options: [
    {
      long: '--passphrase-file',
      argument: 'FILE',
      completes: 'file',
      says: 'The passphrase of the key is the first line of this file; without it, it is asked for.',
    },
  ],
  says: 'Take over a CA that your devices trust already: the broker then shows certificates that they accept, and lets in those that it has issued.',
  async run(call) {
    const [certificateFile = '', keyFile = ''] = call.words;
    const certificate = { file: certificateFile, bytes: fs.readFileSync(certificateFile) };
    const key = { file: keyFile, bytes: fs.readFileSync(keyFile) };
    const encrypted = isEncrypted(key.bytes.toString('latin1'));
    const passphrase = encrypted ? await passphraseOf(call, keyFile) : null;
    const { issuer, remarks } = readForeignCa({ certificate, key, passphrase, now: call.context.wall() });
    const change = await withRegistry(call.home, registry => adoptRoot(registry, issuer, !encrypted), { create: true });
    await refreshServerCertificates(call);
    for (const remark of remarks) call.warn(...findingLines(remark));
    call.say(
      `"${issuer.certificate.subject.replaceAll('\n', ', ')}" is now the root of this home; devices that trust it need nothing new.`,
      encrypted
        ? `Its key was not copied, as it has a passphrase. Keep ${keyFile}: it is needed to change the CA again.`
        : `Its key is in ${path.join(call.home.folder, 'root')}; a stick in a drawer is the better place.`,
      ...(change.crossSigned ? oldDevices : []),
    );
    return 0;
  },
};

const oldDevices = ['Devices that trust the root before it go on working, until: zancudo ca rollover --finish'];

async function passphraseOf(call: Call, keyFile: string): Promise<string> {
  const file = call.value('--passphrase-file');
  if (file !== null) return fs.readFileSync(file, 'utf8').split(/\r?\n/)[0] ?? '';
  const answer = await new SecretPrompt(call.context).ask(`Passphrase of ${keyFile}: `, null);
  if (answer.ok) return answer.password.toString('utf8');
  throw new UsageError('without its passphrase the key cannot be read.');
}

export const rolloverCommand: Subcommand = {
  name: 'rollover',
  atLeast: 0,
  atMost: 0,
  options: [
    keyOption,
    { long: '--without-old-root', says: 'The key of the present root is lost: every device needs the new ca.crt before it connects again.' },
    { long: '--finish', says: 'The last device has moved: the root before is no longer vouched for.' },
    { long: '--anyway', says: 'With --finish: also when some devices have not moved, which then stay out.' },
  ],
  says: 'A new root. Devices with the old ca.crt and devices with the new one both connect, until --finish.',
  run: call => (call.has('--finish') ? finish(call) : begin(call)),
}; // prettier-ignore

async function begin(call: Call): Promise<number> {
  const kind = keyKindOf(call);
  const vouch = !call.has('--without-old-root');
  const change = await withRegistry(call.home, registry => rollOver(registry, kind, vouch));
  await refreshServerCertificates(call);
  call.say(
    'There is a new root, and the broker shows certificates below it.',
    `  SHA-256  ${change.root.fingerprint256}`,
    `  ends     ${timeText(change.root.validToDate.getTime())}`,
    ...(change.crossSigned
      ? [
          'The old root vouches for it: no device has to be touched today.',
          'Give the devices the new ca.crt one after the other (zancudo device renew NAME writes it), then:',
          '  zancudo ca list               who still has the CA before',
          '  zancudo ca rollover --finish  when nobody has',
        ]
      : ['No device connects before it has been given the new ca.crt: zancudo ca export']),
  );
  return 0;
}

async function finish(call: Call): Promise<number> {
  const waiting = await withRegistry(call.home, async registry => {
    const behind = stragglers(registry.ledger, registry.authority.root.fingerprint256, registry.now);
    if (behind.length === 0 || call.has('--anyway')) await settleRoot(registry);
    return behind;
  });
  if (waiting.length > 0 && !call.has('--anyway')) {
    call.warn(
      `Not finished: ${waiting.length} still have the CA before: ${waiting.slice(0, 10).join(', ')}${waiting.length > 10 ? ', ...' : ''}`,
      '  They would no longer connect. Give each of them its new files: zancudo device renew NAME',
      '  Or leave them behind: zancudo ca rollover --finish --anyway',
    );
    return 1;
  }
  await refreshServerCertificates(call);
  call.say('The change of root is finished: the root before it is trusted by nobody here.');
  return 0;
}

/** Who has a certificate that is still good, and none that came with the present root. */
function stragglers(ledger: ReturnType<typeof readLedger>, root: string, now: number): string[] {
  return [...ledger.identities.values()]
    .filter(({ certificates }) => {
      const live = certificates.filter(each => each.revokedAt === null && each.ends > now);
      return live.length > 0 && !live.some(each => each.root === root);
    })
    .map(({ name }) => name);
}
