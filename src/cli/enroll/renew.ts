/**
 * `zancudo enroll renew`: a new key and a new certificate for a profile, shown the old one. What is in force changes
 * only when the broker has let us in with the new one.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import {
  defaultProfileName,
  isProfileName,
  parseProfile,
  type Profile,
  profilePath,
  profileText,
} from '../../client/mod.ts';
import { certificatesOf, diskStore, keyPem, makeKey, readIfThere, readKey, writeRequest } from '../../pki/mod.ts';
import { type Call, UsageError } from '../ca/subcommand.ts';
import { type Credentials, doorNamed } from './door.ts';
import { EnrolFault } from './fault.ts';
import { doorOf } from './first.ts';
import { currentFiles, Generation } from './identity-folder.ts';
import { daysLeft, endOf, tryOut, whyNot } from './try-out.ts';

export interface EnrolledProfile {
  name: string;
  profile: Profile;
  shown: Credentials;
}

export async function renew(call: Call): Promise<number> {
  const enrolled = enrolledProfile(call);
  const { name, profile, shown } = enrolled;
  const left = daysLeft(shown.certificate, call.context.wall());
  if (left > enoughDays(call)) {
    call.say(`${name}: valid until ${endOf(shown.certificate)}, ${left} days; nothing to do.`);
    return 0;
  }
  const folder = folderFor(call, enrolled);
  const door = await doorNamed(doorOf(call));
  const trusted = profile.cafile === undefined ? null : readFileSync(profile.cafile, 'utf8');
  const key = await makeKey(keyKindLike(shown.key));
  const generation = new Generation(folder, call.context.wall());
  generation.keepKey(keyPem(key));
  const counter = { host: profile.host, port: profile.port, tls: trusted === null ? {} : { ca: [trusted] } };
  const issued = await door.renew(counter, shown, writeRequest(nameIn(shown), key)).catch((error: unknown) => {
    generation.discard();
    throw error;
  });
  const ca = trusted === null ? issued.ca : allOf(trusted, issued.ca, call.context.wall());
  generation.keepCertificate({ ...issued, ca });
  await swap(call, enrolled, folder, generation);
  call.say(
    `${name}: renewed, valid until ${endOf(issued.certificate)}, ${daysLeft(issued.certificate, call.context.wall())} days.`,
  );
  return 0;
}

/** Renews whatever is left unless a number is given. */
function enoughDays(call: Call): number {
  const text = call.value('--if-days-left');
  if (text === null) return Infinity;
  if (!/^\d{1,5}$/.test(text)) throw new UsageError('--if-days-left is a number of days.');
  return Number(text);
}

export function enrolledProfile(call: Call): EnrolledProfile {
  const name = call.value('--profile') ?? defaultProfileName;
  if (!isProfileName(name)) throw new UsageError(`'${name}' is no name of a profile.`);
  const file = profilePath(call.home.folder, name);
  const text = readIfThere(file);
  if (text === null) throw new EnrolFault(`There is no profile '${name}' (${file}).`, 'Which there are: zancudo profile list'); // prettier-ignore
  const profile = parseProfile(text, file);
  const { certfile, keyfile } = profile;
  if (certfile === undefined || keyfile === undefined) {
    throw new EnrolFault(
      `The profile ${name} has no certificate that could be renewed.`,
      `Get one: zancudo enroll ${profile.host}:${profile.port} NAME --profile ${name}-certificate`,
      'Another profile is named with --profile.',
    );
  }
  const shown = { certificate: readFileSync(certfile, 'utf8'), key: readFileSync(keyfile, 'utf8') };
  return { name, profile, shown };
}

/** Certificates that `device add` made lie somewhere else; they are left there, and the profile leads here. */
function folderFor(call: Call, { profile, shown }: EnrolledProfile): string {
  const above = path.dirname(path.dirname(profile.certfile ?? ''));
  return currentFiles(above).certificate === profile.certfile
    ? above
    : path.join(call.home.folder, 'identities', nameIn(shown));
}

function nameIn({ certificate }: Credentials): string {
  const [leaf] = certificatesOf(certificate);
  return /^CN=(.+)$/m.exec(leaf?.subject ?? '')?.[1] ?? 'device';
}

function keyKindLike(keyText: string): 'ec' | 'rsa' | 'ed25519' {
  const type = readKey(keyText)?.asymmetricKeyType;
  return type === 'rsa' || type === 'ed25519' ? type : 'ec';
}

/** During a change of roots both are needed; what has ended is not. */
function allOf(before: string, now: string, wall: number): string {
  const all = [...certificatesOf(now), ...certificatesOf(before)].filter(each => Date.parse(each.validTo) > wall);
  return [...new Set(all.map(each => each.toString()))].join('');
}

async function swap(
  call: Call,
  { name, profile }: EnrolledProfile,
  folder: string,
  generation: Generation,
): Promise<void> {
  const { certificate, key, ca } = generation.files;
  const at = (files: { certificate: string; key: string; ca: string }): Profile => ({
    ...profile,
    certfile: files.certificate,
    keyfile: files.key,
    ...(profile.cafile === undefined ? {} : { cafile: files.ca }),
  });
  const error = await tryOut(at({ certificate, key, ca }));
  if (error !== null) {
    throw new EnrolFault(
      `The new certificate does not work, so the old one stays in force: ${whyNot(error)}`,
      `The new one is kept in ${path.dirname(certificate)}`,
    );
  }
  generation.putInForce();
  diskStore.write(profilePath(call.home.folder, name), profileText(at(currentFiles(folder))));
}
