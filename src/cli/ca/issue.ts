/** `ca issue`, `ca sign`, `ca renew`: certificates, with keys made here or elsewhere. */
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import type { KeyObject, X509Certificate } from 'node:crypto';
import {
  certificateOf,
  checkName,
  factsOf,
  keyPem,
  makeKey,
  PkiError,
  profiles,
  readRequest,
  type ClientProfileName,
  type Registry,
  type SubjectAltName,
  timeText,
  withRegistry,
} from '../../pki/mod.ts';
import { namesOfPeople, templateNamed, writeAccess } from '../../server/devices/mod.ts';
import { findCertificate } from './find.ts';
import { daysOption, keyKindOf, keyOption, lifetimeOf, outOption } from './options.ts';
import { type Call, type Subcommand, type SubcommandOption, UsageError } from './subcommand.ts';
import { writeNewFiles, type NewFile } from './written.ts';

const clientProfiles: readonly string[] = ['device', 'device-without-updates', 'operator'];

export const profileOption: SubcommandOption = {
  long: '--profile',
  argument: 'PROFILE',
  completes: [...clientProfiles, 'server'],
  says: 'device (90 days, renewed), device-without-updates (10 years), operator (398 days); with sign also server.',
};

export const templateOption: SubcommandOption = {
  long: '--template',
  argument: 'NAME',
  says: 'What it may publish and subscribe: the name of an access template (zancudo device template).',
};

export const issueServerCommand: Subcommand = {
  name: 'issue server',
  operands: 'NAME [NAME|ADDRESS...]',
  atLeast: 1,
  atMost: 200,
  options: [keyOption, daysOption, outOption],
  says: 'A certificate for another server, for all these names and addresses at once. Writes NAME.crt, NAME.key and ca.crt into the folder --out.',
  async run(call) {
    const [commonName = ''] = call.words;
    const names = call.words.map(subjectAltName);
    const lifetime = lifetimeOf(call);
    const key = await makeKey(keyKindOf(call));
    const made = await withRegistry(call.home, async registry => {
      const certificate = await registry.issueServer({ commonName, names, key, ...lifetime });
      return handOver(call, registry, commonName, certificate, key);
    });
    call.say(...made);
    return 0;
  },
};

export const issueClientCommand: Subcommand = {
  name: 'issue client',
  operands: 'NAME',
  atLeast: 1,
  atMost: 1,
  options: [profileOption, keyOption, daysOption, templateOption, outOption],
  says: 'A certificate for somebody, an operator unless --profile says otherwise. For devices, device add does more.',
  async run(call) {
    const [name = ''] = call.words;
    const profile = profileOf(call, 'operator');
    if (profile === 'server') throw new UsageError("a server's certificate is made by 'issue server'.");
    const lifetime = lifetimeOf(call);
    const key = await makeKey(keyKindOf(call));
    const template = templateOf(call, profile);
    const made = await withRegistry(call.home, async registry => {
      refuseTaken(registry, name);
      const [certificate] = await registry.issueClients([{ name, profile, key, template, ...lifetime }]);
      writeAccess(registry);
      return handOver(call, registry, name, certificate!, key);
    });
    call.say(...made, ...loudly(profile));
    return 0;
  },
};

export const signCommand: Subcommand = {
  name: 'sign',
  operands: 'REQUEST.csr',
  atLeast: 1,
  atMost: 1,
  options: [
    profileOption,
    { long: '--name', argument: 'NAME', says: 'Its name, instead of the one in the request.' },
    daysOption,
    templateOption,
    outOption,
  ],
  says: 'A certificate for a key that never leaves its owner. The request is checked against the profile, device unless --profile says otherwise.',
  async run(call) {
    const [file = ''] = call.words;
    const profile = profileOf(call, 'device');
    const request = await readRequest(fs.readFileSync(file), file, profile);
    const name = call.value('--name') ?? request.commonName;
    if (name === null) throw new UsageError('the request has no name (CN) in it; give one with --name.');
    const { key } = request;
    const names = request.names.length > 0 ? request.names : [subjectAltName(name)];
    const made = await withRegistry(call.home, async registry => {
      const certificate =
        profile === 'server'
          ? await registry.issueServer({ commonName: name, names, key, ...lifetimeOf(call) })
          : await signClient(call, registry, profile, name, key);
      return handOver(call, registry, name, certificate, null);
    });
    call.say(...made, ...loudly(profile));
    return 0;
  },
};

async function signClient(
  call: Call,
  registry: Registry,
  profile: ClientProfileName,
  name: string,
  key: KeyObject,
): Promise<X509Certificate> {
  refuseTaken(registry, name);
  const template = templateOf(call, profile);
  const [certificate] = await registry.issueClients([{ name, profile, key, template, ...lifetimeOf(call) }]);
  writeAccess(registry);
  return certificate!;
}

export const renewCommand: Subcommand = {
  name: 'renew',
  operands: 'NAME|SERIAL',
  atLeast: 1,
  atMost: 1,
  options: [daysOption, outOption],
  says: 'A new certificate for the same key. The one before stays good until it ends.',
  async run(call) {
    const [which = ''] = call.words;
    const made = await withRegistry(call.home, async registry => {
      const before = findCertificate(registry.ledger, which);
      const certificate = certificateOf(before);
      const key = certificate.publicKey;
      const identity = registry.ledger.identities.get(before.name);
      if (before.profile === 'server' || identity === undefined) {
        const names = factsOf(certificate).names;
        const renewed = await registry.issueServer({ commonName: before.name, names, key, ...lifetimeOf(call) });
        return handOver(call, registry, before.name, renewed, null);
      }
      const { name, profile, template } = identity;
      const [renewed] = await registry.issueClients([{ name, profile, key, template, ...lifetimeOf(call) }]);
      return handOver(call, registry, name, renewed!, null);
    });
    call.say(...made);
    return 0;
  },
};

function handOver(
  call: Call,
  registry: Registry,
  name: string,
  certificate: X509Certificate,
  key: KeyObject | null,
): string[] {
  const folder = call.value('--out') ?? '.';
  const files: NewFile[] = [{ name: `${name}.crt`, content: registry.chainOf(certificate) }];
  if (key !== null) files.push({ name: `${name}.key`, content: keyPem(key) });
  const anchor = registry.authority.root.toString();
  const caFile = path.join(folder, 'ca.crt');
  const caIsThere = fs.existsSync(caFile) && fs.readFileSync(caFile, 'utf8') === anchor;
  if (!caIsThere) files.push({ name: 'ca.crt', content: anchor });
  const replace = key === null ? [`${name}.crt`] : [];
  return [
    ...writeNewFiles(folder, files, replace),
    `  ${certificate.subject.replaceAll('\n', ', ')}, until ${timeText(certificate.validToDate.getTime())}`,
  ];
}

/** Ten years are a long time for a key in a thing that can be carried away. */
export function loudly(profile: string): string[] {
  if (profile !== 'device-without-updates') return [];
  return [
    '',
    `ATTENTION: this certificate is good for ${profiles['device-without-updates'].lifetimeDays} days, because the device cannot be given another.`,
    'Whoever takes the device apart has a way in for as long. If it is lost: zancudo device revoke NAME, at once.',
  ];
}

function profileOf(call: Call, otherwise: ClientProfileName): ClientProfileName | 'server' {
  const profile = call.value('--profile') ?? otherwise;
  if (profile === 'server' || clientProfiles.includes(profile)) return profile as ClientProfileName | 'server';
  throw new UsageError(`--profile is one of ${clientProfiles.join(', ')}, server.`);
}

/** An operator may do everything unless told otherwise. */
function templateOf(call: Call, profile: ClientProfileName): string {
  const name = call.value('--template') ?? (profile === 'operator' ? 'operator' : 'device');
  return templateNamed(call.home.folder, name).name;
}

export function refuseTaken({ ledger, folder }: Registry, name: string): void {
  checkName(name);
  const taken = [...ledger.identities.keys()].find(each => each.toLowerCase() === name.toLowerCase());
  if (taken !== undefined)
    throw nameTaken(
      taken,
      `A new certificate for it: zancudo device renew ${taken}, or zancudo device invite ${taken} --again`,
    );
  if (namesOfPeople(folder).has(name)) throw nameTaken(name, 'Choose another name.');
}

function nameTaken(name: string, remedy: string): PkiError {
  return new PkiError({
    code: 'pki.name-taken',
    where: name,
    saw: 'somebody has this name already: a device, a user with a password, or one with rules of his own',
    why: 'A certificate of that name would make its owner him.',
    remedy: [remedy],
  });
}

function subjectAltName(text: string): SubjectAltName {
  return { kind: net.isIP(text) === 0 ? 'dns' : 'ip', value: text };
}
