/** `ca list`: who, what, until when; the soonest end first. */
import fs from 'node:fs';
import { X509Certificate } from 'node:crypto';
import {
  authorityFiles,
  certificatesOf,
  daysText,
  readLedger,
  readSeen,
  serverPairs,
  stateOf,
  type IssuedCertificate,
  type Ledger,
  timeText,
} from '../../pki/mod.ts';
import { jsonOption } from './options.ts';
import type { Call, Subcommand } from './subcommand.ts';
import { textTable } from './table.ts';

interface Line {
  name: string;
  kind: string;
  state: string;
  ends: number;
  serial: string;
  /** When it was last shown to the broker; null when never, or not known. */
  seen: number | null;
  /** Given out together with a root that has been replaced since. */
  oldRoot: boolean;
}

export const listCommand: Subcommand = {
  name: 'list',
  atLeast: 0,
  atMost: 0,
  options: [jsonOption, { long: '--all', says: 'Also what is revoked, expired or replaced.' }],
  says: "Certificates: the CA's, the broker's, and what was issued; the soonest end first.",
  run(call) {
    const { folder, now } = call.home;
    const ledger = readLedger(folder);
    const root = new X509Certificate(fs.readFileSync(authorityFiles(folder).anchor));
    const all = [...ownLines(folder, now), ...issuedLines(ledger, root.fingerprint256, readSeen(folder), now)];
    const shown = call.has('--all') ? all : all.filter(each => each.state === 'valid');
    shown.sort((a, b) => a.ends - b.ends);
    if (call.has('--json')) call.say(JSON.stringify(shown.map(forMachines), null, 2));
    else print(call, shown, all.length - shown.length, now);
    return 0;
  },
};

function print(call: Call, shown: readonly Line[], hidden: number, now: number): void {
  const rows = shown.map(({ name, kind, state, ends, serial, seen, oldRoot }) => [
    name,
    kind,
    oldRoot ? `${state}, has the CA before` : state,
    new Date(ends).toISOString().slice(0, 10),
    ends < now ? 'ended' : daysText(ends - now),
    seen === null ? '' : timeText(seen).slice(0, 16),
    serial,
  ]);
  call.say(...textTable(['NAME', 'WHAT', 'STATE', 'UNTIL', 'LEFT', 'LAST SEEN', 'SERIAL'], rows));
  if (hidden > 0) call.say('', `${hidden} more are revoked, expired or replaced: --all shows them.`);
}

function forMachines({ ends, seen, ...rest }: Line): object {
  const lastSeen = seen === null ? null : new Date(seen).toISOString();
  return { ...rest, ends: new Date(ends).toISOString(), lastSeen };
}

function ownLines(folder: string, now: number): Line[] {
  const files = authorityFiles(folder);
  const own: [string, string, string][] = [
    ['root', 'CA', files.anchor],
    ['issuing', 'CA', files.issuingCertificate],
    ...serverPairs(folder).map(({ kind, certificate }): [string, string, string] => [
      kind === 'ec' ? 'broker' : `broker (${kind})`,
      'server, renews itself',
      certificate,
    ]),
  ];
  return own.flatMap(([name, kind, file]) => {
    const [certificate] = fs.existsSync(file) ? certificatesOf(fs.readFileSync(file, 'utf8')) : [];
    if (!certificate) return [];
    const ends = certificate.validToDate.getTime();
    const state = ends < now ? 'expired' : 'valid';
    return [{ name, kind, state, ends, serial: certificate.serialNumber, seen: null, oldRoot: false }];
  });
}

function issuedLines(ledger: Ledger, root: string, seen: ReadonlyMap<string, number>, now: number): Line[] {
  return ledger.certificates.map((certificate: IssuedCertificate) => {
    const { name, profile, ends, serial } = certificate;
    const state = stateOf(certificate, ledger.identities.get(name) ?? null, now);
    return {
      name,
      kind: profile,
      state,
      ends,
      serial,
      seen: seen.get(serial) ?? null,
      oldRoot: certificate.root !== root,
    };
  });
}
