/**
 * `zancudo enroll HOST NAME`: from a token to a certificate, a profile and a line to try it with.
 *
 *   trust ── key on the disk ── token + request ──> certificate ── profile ── a connection, to see that it works
 */
import path from 'node:path';
import { isProfileName, type Profile, profileFolder, profilePath, profileText } from '../../client/mod.ts';
import { checkName, diskStore, keyPem, makeKey, readIfThere, shellWord, writeRequest } from '../../pki/mod.ts';
import { keyKindOf } from '../ca/options.ts';
import { type Call, UsageError } from '../ca/subcommand.ts';
import { type DoorName, doorNamed, doorNames } from './door.ts';
import { EnrolFault } from './fault.ts';
import { currentFiles, Generation, hasIdentity } from './identity-folder.ts';
import { placeIn } from './place.ts';
import { tokenFor } from './token.ts';
import { daysLeft, endOf, tryOut, whyNot } from './try-out.ts';
import { trustFor } from './trust.ts';

export async function enrol(call: Call): Promise<number> {
  const [place = '', name = ''] = call.words;
  const { host, port } = placeIn(place);
  checkName(name);
  const profileName = profileNameFor(call, name);
  const folder = path.resolve(call.value('--to') ?? path.join(call.home.folder, 'identities', name));
  refuseIdentityThere(call, folder, profileName);
  const door = await doorNamed(doorOf(call));
  const trust = await trustFor(call, host, port);
  const token = await tokenFor(call, name);
  const key = await makeKey(keyKindOf(call));
  const generation = new Generation(folder, call.context.wall());
  generation.keepKey(keyPem(key));
  const counter = { host, port, tls: trust.tls };
  const issued = await door.enrol(counter, name, token, writeRequest(name, key)).catch((error: unknown) => {
    generation.discard();
    throw error;
  });
  generation.keepCertificate({ ...issued, ca: trust.ca ?? issued.ca });
  generation.putInForce();
  const files = currentFiles(folder);
  const profile: Profile = {
    host,
    port,
    ...(trust.ca === null ? { osCertificates: true } : { cafile: files.ca }),
    certfile: files.certificate,
    keyfile: files.key,
  };
  keepProfile(call, profileName, profile);
  tell(call, name, profileName, folder, issued.certificate);
  return sayWhetherItWorks(call, profile, profileName);
}

export function doorOf(call: Call): DoorName {
  const asked = call.value('--via') ?? 'mqtt';
  const known = doorNames.find(each => each === asked);
  if (known === undefined) throw new UsageError(`--via is ${doorNames.join(' or ')}.`);
  return known;
}

function profileNameFor(call: Call, name: string): string {
  const wanted = call.value('--profile') ?? name;
  if (isProfileName(wanted)) return wanted;
  throw new UsageError(`'${wanted}' cannot be the name of a profile: choose one with --profile.`);
}

function refuseIdentityThere(call: Call, folder: string, profileName: string): void {
  const taken = hasIdentity(folder)
    ? `there is an identity in ${folder}`
    : readIfThere(profilePath(call.home.folder, profileName)) === null
      ? null
      : `there is a profile ${profileName}`;
  if (taken === null || call.has('--replace')) return;
  throw new EnrolFault(
    `${taken} already; nothing was done, and the token is still good.`,
    `To renew it: zancudo enroll renew --profile ${profileName}`,
    'To put another one in its place: --replace; to keep both: --profile and --to.',
  );
}

function keepProfile(call: Call, name: string, profile: Profile): void {
  const { folder } = call.home;
  diskStore.makeFolder(profileFolder(folder));
  diskStore.write(profilePath(folder, name), profileText(profile));
}

function tell(call: Call, name: string, profileName: string, folder: string, certificate: string): void {
  const { certificate: certificateFile, key, ca } = currentFiles(folder);
  const days = daysLeft(certificate, call.context.wall());
  call.say(
    `${name} is enrolled; its certificate is valid until ${endOf(certificate)} (${days} days).`,
    `  certificate  ${certificateFile}`,
    `  key          ${key}`,
    `  CA           ${ca}`,
    `  profile      ${profileName}`,
    '',
    'Try it:',
    `  zancudo pub --profile ${profileName} -t ${shellWord(`devices/${name}/hello`)} -m hello`,
    'Renew it in time, every night from cron (or print units for systemd: zancudo enroll timer):',
    `  17 3 * * *  zancudo enroll renew --profile ${profileName} --if-days-left 30`,
  );
}

async function sayWhetherItWorks(call: Call, profile: Profile, profileName: string): Promise<number> {
  const error = await tryOut(profile);
  if (error === null) return 0;
  call.warn(
    `The certificate is here, but the broker does not let profile ${profileName} in with it: ${whyNot(error)}`,
    '  Its listener asks for client certificates with: request_certificate true, use_identity_as_username true, and the CA as cafile.',
  );
  return 1;
}
