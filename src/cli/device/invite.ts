/** `device invite`: a token for a device that makes its own key, and what became of the tokens given out. */
import fs from 'node:fs';
import { X509Certificate } from 'node:crypto';
import {
  authorityFiles,
  createInvite,
  inviteValidMs,
  type InviteWish,
  type NewInvite,
  readLedger,
  type Registry,
  stateOfInvite,
  timeText,
  withdrawInvites,
  withRegistry,
} from '../../pki/mod.ts';
import { templateNamed } from '../../server/devices/mod.ts';
import { loudly, refuseTaken, templateOption } from '../ca/issue.ts';
import { daysOption, jsonOption, keyKindOf, keyOption, lifetimeOf } from '../ca/options.ts';
import type { Call, Subcommand } from '../ca/subcommand.ts';
import { textTable } from '../ca/table.ts';
import { qrLines } from '../kit/qr-terminal.ts';
import { identityNamed } from './identity.ts';
import { authority } from './link.ts';
import { type Reach, reachOf, reachOptions } from './reach.ts';
import { validMsOf, validOption } from './valid.ts';

export const inviteCommand: Subcommand = {
  name: 'invite',
  operands: 'NAME',
  atLeast: 1,
  atMost: 1,
  options: [
    validOption,
    { long: '--from', argument: 'RANGE', says: 'With invite: only from these addresses, 192.168.1.0/24, fd00::/8 or a single one.' },
    templateOption,
    { ...keyOption, says: 'ec (P-256), rsa (2048 bits, for old devices) or ed25519; with invite: what the device must bring, any of them unless given.' },
    { long: '--without-updates', says: 'The device can never be given another certificate: this one lasts 10 years.' },
    daysOption,
    { long: '--again', says: 'The device has a certificate already and lost its key: those it has are revoked when it enrols.' },
    ...reachOptions,
    jsonOption,
    { long: '--qr', says: 'Also as a QR code: broker, name, token and fingerprint of the CA in one.' },
  ],
  says: 'Let a device make its own key and fetch its certificate: prints a token, good for one certificate of this name, and how to use it.',
  run: inviteDevice,
}; // prettier-ignore

async function inviteDevice(call: Call): Promise<number> {
  const [name = ''] = call.words;
  const wish = wishOf(call, name);
  const reach = await reachOf(call);
  const made = await withRegistry(call.home, async registry => {
    if (wish.again === true) identityNamed(registry.ledger, name);
    else refuseTaken(registry, name);
    return createInvite(registry, { ...wish, template: templateOf(call, registry, name) });
  });
  const ca = new X509Certificate(fs.readFileSync(authorityFiles(call.home.folder).anchor));
  if (call.has('--json')) call.say(JSON.stringify(forMachines(made, reach, ca), null, 2));
  else sayInvite(call, made, reach, ca);
  return 0;
}

function wishOf(call: Call, name: string): Omit<InviteWish, 'template'> {
  const range = call.value('--from');
  return {
    name,
    validMs: validMsOf(call, inviteValidMs),
    ...lifetimeOf(call),
    ...(call.has('--without-updates') ? { profile: 'device-without-updates' as const } : {}),
    ...(call.has('--key') ? { keyKind: keyKindOf(call) } : {}),
    ...(range === null ? {} : { range }),
    ...(call.has('--again') ? { again: true } : {}),
  };
}

/** A device that is there keeps its template unless another is named. */
function templateOf(call: Call, { ledger, folder }: Registry, name: string): string {
  return templateNamed(folder, call.value('--template') ?? ledger.identities.get(name)?.template ?? 'device').name;
}

function forMachines({ token, invite }: NewInvite, { host, port }: Reach, ca: X509Certificate): object {
  return {
    name: invite.name,
    invite: invite.invite,
    token,
    until: new Date(invite.until).toISOString(),
    from: invite.range,
    host,
    port,
    url: `https://${authority({ host, port })}/.well-known/est`,
    caFingerprint: ca.fingerprint256,
  };
}

function sayInvite(call: Call, { token, invite, withdrawn }: NewInvite, reach: Reach, ca: X509Certificate): void {
  const { name, until, range, profile } = invite;
  const at = authority(reach);
  call.say(
    `Token for ${name}, shown this once:`,
    '',
    `  ${token}`,
    '',
    `  good once, until ${timeText(until)}${range === null ? '' : `, from ${range}`}`,
    ...(withdrawn.length > 0 ? ['  The token of before is no longer good.'] : []),
    ...(invite.again ? [`  When it is used, the certificates that ${name} has now are revoked.`] : []),
    '',
    'On the device, with this program, which asks for the token:',
    `  zancudo enroll ${at} ${name} --ca-fingerprint ${ca.fingerprint256}`,
    '',
    'Or with openssl and curl alone (EST, RFC 7030):',
    ...shellLines(name, token, at, ca).map(line => `  ${line}`),
    ...(call.has('--qr') ? ['', ...qrLines(uriOf(name, token, at, ca), process.stdout.isTTY)] : []),
    ...loudly(profile),
  );
}

/** The token goes by a pipe: on a command line every user of the machine could read it. */
function shellLines(name: string, token: string, at: string, ca: X509Certificate): string[] {
  return [
    `curl -fsSk -o ca.crt https://${at}/ca.crt`,
    `openssl x509 -in ca.crt -noout -fingerprint -sha256 | grep -qi '=${ca.fingerprint256}$' || { echo 'not this CA'; rm ca.crt; }`,
    `openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=${name} -keyout ${name}.key -out ${name}.csr`,
    `echo 'user = "${name}:${token}"' | curl -fsS -K - --cacert ca.crt -H 'Content-Type: application/pkcs10' --data-binary @${name}.csr -o ${name}.p7 https://${at}/.well-known/est/simpleenroll`,
    `openssl base64 -d -in ${name}.p7 | openssl pkcs7 -inform DER -print_certs -out ${name}.crt`,
  ];
}

function uriOf(name: string, token: string, at: string, ca: X509Certificate): string {
  return `zancudo://${at}/enroll?name=${name}&token=${token}&ca=${ca.fingerprint256.replaceAll(':', '')}`;
}

export const inviteListCommand: Subcommand = {
  name: 'invite list',
  atLeast: 0,
  atMost: 0,
  options: [jsonOption, { long: '--all', says: 'With invite list: also those that are used, withdrawn or over.' }],
  says: 'Invitations that are open: for whom, until when, from where.',
  run(call) {
    const { folder, now } = call.home;
    const all = [...readLedger(folder).invites.values()].map(each => ({ ...each, state: stateOfInvite(each, now) }));
    const shown = call.has('--all') ? all : all.filter(each => each.state === 'open');
    const rows = shown.map(({ invite, name, state, template, range, until, usedAt }) => ({
      invite,
      name,
      state,
      template,
      from: range,
      until: new Date(until).toISOString(),
      used: usedAt === null ? null : new Date(usedAt).toISOString(),
    }));
    if (call.has('--json')) call.say(JSON.stringify(rows, null, 2));
    else if (rows.length === 0) call.say("No invitation is open: 'zancudo device invite NAME' makes one.");
    else {
      const cells = rows.map(each => [each.name, each.state, each.template, each.from ?? 'anywhere', timeText(Date.parse(each.until)), each.invite]); // prettier-ignore
      call.say(...textTable(['NAME', 'STATE', 'TEMPLATE', 'FROM', 'UNTIL', 'INVITE'], cells));
    }
    return 0;
  },
};

export const inviteRevokeCommand: Subcommand = {
  name: 'invite revoke',
  operands: 'NAME|INVITE...',
  atLeast: 1,
  atMost: 1000,
  options: [],
  says: 'Take open invitations back: their tokens are no longer good. A certificate that was fetched is not touched.',
  async run(call) {
    const counts = await withRegistry(call.home, async registry =>
      call.words.map(which => withdrawInvites(registry, which).length),
    );
    call.words.forEach((which, i) => {
      if ((counts[i] ?? 0) > 0) call.say(`${which}: taken back.`);
      else call.warn(`${which}: no invitation of that name is open. zancudo device invite list --all shows what became of it.`);
    }); // prettier-ignore
    return counts.includes(0) ? 1 : 0;
  },
};
