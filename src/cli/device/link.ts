/** `--link`: the kit waits at the broker, encrypted, for whoever opens its link first. */
import fs from 'node:fs';
import { X509Certificate } from 'node:crypto';
import { leaveParcel, serverPairs, timeText } from '../../pki/mod.ts';
import type { Call, SubcommandOption } from '../ca/subcommand.ts';
import type { KitFacts } from '../kit/facts.ts';
import { kitFiles } from '../kit/kit.ts';
import { qrLines } from '../kit/qr-terminal.ts';
import { zip } from '../kit/zip.ts';
import { validMsOf, validOption } from './valid.ts';

export const linkOptions: readonly SubcommandOption[] = [
  { long: '--link', says: 'Write no kit here; the broker gives it out, once, behind a link that is printed with a QR code.' },
  validOption,
]; // prettier-ignore

const linkValidMs = 3_600_000;

/** The caller does not hold the lock: nobody else knows of this file. */
export function sayLink(call: Call, kit: KitFacts): void {
  const { folder, store, now } = call.home;
  const until = now + validMsOf(call, linkValidMs);
  const token = leaveParcel(folder, store, { name: kit.name, until }, zip(kitFiles(kit), new Date(now)));
  const url = `https://${authority(kit)}/kit/${token}`;
  call.say(
    `${kit.name}: its kit can be fetched once, until ${timeText(until)}, while the broker runs:`,
    '',
    `  ${url}`,
    '',
    ...qrLines(url, process.stdout.isTTY),
    '',
    '  A phone or browser that does not have the CA of this broker warns that the connection is not private. Let it show',
    '  the certificate: its SHA-256 fingerprint must be this one. Then go on. If it is another, somebody is in between.',
    `  ${serverFingerprint(folder)}`,
  );
}

/** Of the certificate that modern clients are shown; the CA above it is not sent, so no browser could show that. */
function serverFingerprint(folder: string): string {
  const pair = serverPairs(folder).find(({ kind }) => kind === 'ec')!;
  return new X509Certificate(fs.readFileSync(pair.certificate)).fingerprint256;
}

/** `host:port` as it stands in a URL. */
export function authority({ host, port }: { host: string; port: number }): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
