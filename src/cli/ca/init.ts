/** `ca init`, `ca show`: a CA is made, or told about. */
import fs from 'node:fs';
import { X509Certificate } from 'node:crypto';
import path from 'node:path';
import {
  authorityFiles,
  daysText,
  diskRegistryStore,
  ensureCertificates,
  machineNames,
  readLedger,
  timeText,
  withLock,
  withRegistry,
} from '../../pki/mod.ts';
import type { Call, Subcommand } from './subcommand.ts';

export const initCommand: Subcommand = {
  name: 'init',
  operands: '[NAME|ADDRESS...]',
  atLeast: 0,
  atMost: 100,
  options: [],
  says: "Make a CA and this machine's server certificates, as the first start of the broker does. The operands are names it is reached by that it cannot know of.",
  async run(call) {
    const { folder } = call.home;
    const made = !fs.existsSync(authorityFiles(folder).anchor);
    await withRegistry(call.home, async () => undefined, { create: true });
    await refreshServerCertificates(call, call.words);
    call.say(made ? `A CA was made in ${folder}` : `There is a CA in ${folder}; nothing was changed.`);
    return show(call);
  },
};

export const showCommand: Subcommand = {
  name: 'show',
  atLeast: 0,
  atMost: 0,
  options: [],
  says: 'The CA: names, fingerprint, until when, and where its root is.',
  run: show,
};

/** New files for the listeners; a running broker loads them by itself. */
export async function refreshServerCertificates(call: Call, extraNames: readonly string[] = []): Promise<void> {
  const { folder } = call.home;
  const request = { folder, store: diskRegistryStore, machine: machineNames(extraNames), now: call.context.wall() };
  await withLock(folder, () => ensureCertificates(request));
}

function show(call: Call): number {
  const { folder } = call.home;
  const ledger = readLedger(folder);
  const files = authorityFiles(folder);
  const certificate = (file: string): X509Certificate => new X509Certificate(fs.readFileSync(file));
  const root = certificate(files.anchor);
  const issuing = certificate(files.issuingCertificate);
  call.say(
    `Root        ${oneLine(root)}`,
    `  SHA-256   ${root.fingerprint256}`,
    `  ends      ${ending(root, call)}`,
    `  for all   ${files.anchor}`,
    ...whereTheKeyIs(folder),
    `Issuing CA  ${oneLine(issuing)}`,
    `  ends      ${ending(issuing, call)}`,
    `Issued      ${ledger.certificates.length} certificates to ${ledger.identities.size} clients, ${ledger.revocations.size} revoked`,
    `  list      ${files.revoked}`,
  );
  if (fs.existsSync(files.previous)) {
    call.say(
      `Before it   ${oneLine(certificate(files.previous))}`,
      `  A change of root is under way: devices that trust either connect. 'zancudo ca rollover --finish' ends it.`,
    );
  }
  return 0;
}

function whereTheKeyIs(folder: string): string[] {
  const root = path.join(folder, 'root');
  if (!fs.existsSync(authorityFiles(folder).rootKey)) {
    return ['  key       not here: good. It is needed to change or renew a CA; then bring the folder back:', `            cp -r /path/to/your/copy/. ${root}`]; // prettier-ignore
  }
  return [
    `  key       here. The broker does not need it; a stick in a drawer is the better place:`,
    `            mv ${root} /media/STICK/`,
  ];
}

function oneLine(certificate: X509Certificate): string {
  return certificate.subject.split('\n').reverse().join(', ');
}

function ending(certificate: X509Certificate, call: Call): string {
  const ends = certificate.validToDate.getTime();
  return `${timeText(ends)}, in ${daysText(ends - call.context.wall())}`;
}
