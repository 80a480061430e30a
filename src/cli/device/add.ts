/** `device add`, `device renew`, `device rename`: an identity, its certificate, its rules, its kit. */
import fs from 'node:fs';
import path from 'node:path';
import { randomBytes, type KeyObject, type X509Certificate } from 'node:crypto';
import {
  certificateOf,
  type ClientProfileName,
  type ClientRequest,
  makeKey,
  PkiError,
  type Registry,
  type RegisteredIdentity,
  timeText,
  withRegistry,
} from '../../pki/mod.ts';
import { templateNamed, writeAccess } from '../../server/devices/mod.ts';
import { loudly, refuseTaken, templateOption } from '../ca/issue.ts';
import { daysOption, keyKindOf, keyOption, lifetimeOf } from '../ca/options.ts';
import { type Call, type Subcommand, type SubcommandOption, UsageError } from '../ca/subcommand.ts';
import { writeNewFiles } from '../ca/written.ts';
import type { KitFacts } from '../kit/facts.ts';
import { kitFiles } from '../kit/kit.ts';
import { mosquittoLine } from '../kit/recipes-programs.ts';
import { zip } from '../kit/zip.ts';
import { identityNamed } from './identity.ts';
import { linkOptions, sayLink } from './link.ts';
import { type Reach, reachOf, reachOptions } from './reach.ts';

const toOption: SubcommandOption = {
  long: '--to',
  argument: 'DIR',
  completes: 'folder',
  says: 'Where the kits go, each into a folder NAME-kit; here unless given.',
};
const zipOption: SubcommandOption = { long: '--zip', says: 'As NAME-kit.zip instead of a folder.' };
const kitOptions = [toOption, zipOption, ...linkOptions, ...reachOptions];

export const addCommand: Subcommand = {
  name: 'add',
  operands: 'NAME...',
  atLeast: 0,
  atMost: 10_000,
  options: [
    templateOption,
    keyOption,
    { long: '--without-updates', says: 'The device can never be given another certificate: this one lasts 10 years.' },
    daysOption,
    { long: '--from', argument: 'FILE', completes: 'file', says: 'With add: names, one a line, beside those of the command line.' },
    ...kitOptions,
  ],
  says: 'Give devices an identity: a certificate, access to their own topics, and a kit with settings for all common firmware and programs.',
  run: add,
}; // prettier-ignore

async function add(call: Call): Promise<number> {
  const names = [...call.words, ...namesFrom(call.value('--from'))];
  if (names.length === 0) throw new UsageError("'add' takes NAME..., or --from FILE.");
  const template = templateNamed(call.home.folder, call.value('--template') ?? 'device').name;
  const profile: ClientProfileName = call.has('--without-updates') ? 'device-without-updates' : 'device';
  for (const name of names) refuseKitThere(call, name);
  const kind = keyKindOf(call);
  const lifetime = lifetimeOf(call);
  const reach = await reachOf(call);
  const keys = await Promise.all(names.map(() => makeKey(kind)));
  const kits = await withRegistry(call.home, async registry => {
    refuseDoubles(names);
    for (const name of names) refuseTaken(registry, name);
    const requests = names.map((name, i) => ({ name, profile, key: keys[i]!, template, ...lifetime }));
    const certificates = await registry.issueClients(requests);
    writeAccess(registry);
    return requests.map((request, i) => factsFor(registry, reach, request, certificates[i]!, request.key));
  });
  for (const kit of kits) {
    if (call.has('--link')) sayLink(call, kit);
    else sayAdded(call, kit, writeKit(call, kit));
  }
  call.say(...loudly(profile));
  return 0;
}

function namesFrom(file: string | null): string[] {
  if (file === null) return [];
  const lines = fs.readFileSync(file, 'utf8').split(/\r?\n/);
  return lines.map(line => line.trim()).filter(line => line !== '' && !line.startsWith('#'));
}

function refuseDoubles(names: readonly string[]): void {
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw new UsageError(`'${twice}' is named twice.`);
}

export const renewCommand: Subcommand = {
  name: 'renew',
  operands: 'NAME',
  atLeast: 1,
  atMost: 1,
  options: [
    { long: '--new-key', says: 'Also a new key, and a whole kit. The certificates before are revoked with it: --keep-old leaves them.' },
    { long: '--keep-old', says: 'With --new-key: the certificates before stay good until they end.' },
    keyOption,
    daysOption,
    ...kitOptions,
  ],
  says: 'A new certificate for the key that the device has; only NAME.crt (and ca.crt) change on it.',
  async run(call) {
    const [name = ''] = call.words;
    refuseKitThere(call, name);
    const key = call.has('--new-key') ? await makeKey(keyKindOf(call)) : null;
    const reach = await reachOf(call);
    const kit = await withRegistry(call.home, registry => renew(call, registry, reach, name, key));
    if (call.has('--link')) sayLink(call, kit);
    else call.say(`${name}: ${writeKit(call, kit)}, until ${timeText(kit.certificate.validToDate.getTime())}`);
    if (key === null) call.say('  Its key stays; copy the new certificate to the device.');
    return 0;
  },
}; // prettier-ignore

async function renew(
  call: Call,
  registry: Registry,
  reach: Reach,
  name: string,
  newKey: KeyObject | null,
): Promise<KitFacts> {
  const identity = identityNamed(registry.ledger, name);
  const before = identity.certificates.filter(each => each.revokedAt === null);
  const key = newKey ?? keyOf(identity);
  const { profile, template } = identity;
  const request = { name, profile, key, template, ...lifetimeOf(call) };
  const [certificate] = await registry.issueClients([request]);
  if (newKey !== null && !call.has('--keep-old')) {
    registry.revoke(before.map(each => each.serial), 'replaced by one with a new key'); // prettier-ignore
  }
  writeAccess(registry);
  return factsFor(registry, reach, request, certificate!, newKey);
}

/** A key whose certificate was revoked is no longer trusted to be the device's own. */
function keyOf(identity: RegisteredIdentity): KeyObject {
  const last = identity.certificates.filter(each => each.revokedAt === null).at(-1);
  if (last) return certificateOf(last).publicKey;
  throw new PkiError({
    code: 'device.revoked',
    where: identity.name,
    saw: 'its certificates are revoked, and its key with them',
    why: 'Whoever has the key would come back with it.',
    remedy: [`Give it a new key: zancudo device renew ${identity.name} --new-key`],
  });
}

export const renameCommand: Subcommand = {
  name: 'rename',
  operands: 'OLD NEW',
  atLeast: 2,
  atMost: 2,
  options: [toOption, zipOption, ...reachOptions],
  says: 'A certificate with another name for the key that the device has. The old name stays good until you revoke it.',
  async run(call) {
    const [oldName = '', name = ''] = call.words;
    refuseKitThere(call, name);
    const reach = await reachOf(call);
    const kit = await withRegistry(call.home, async registry => {
      const identity = identityNamed(registry.ledger, oldName);
      refuseTaken(registry, name);
      const request = { name, profile: identity.profile, key: keyOf(identity), template: identity.template };
      const [certificate] = await registry.issueClients([request]);
      writeAccess(registry);
      return factsFor(registry, reach, request, certificate!, null);
    });
    call.say(
      `${oldName} may now also be ${name}: ${writeKit(call, kit)}`,
      `  When the device has its new ${name}.crt: zancudo device revoke ${oldName}`,
    );
    return 0;
  },
};

function factsFor(
  registry: Registry,
  reach: Reach,
  { name, template }: ClientRequest,
  certificate: X509Certificate,
  key: KeyObject | null,
): KitFacts {
  const { root: ca, issuer } = registry.authority;
  const topic = topicFor(templateNamed(registry.folder, template).rules, name);
  const password = randomBytes(12).toString('base64url');
  return { name, ...reach, ca, certificate, issuing: issuer.certificate, key, topic, password };
}

/** Something to publish that the rules allow. */
function topicFor(rules: readonly string[], name: string): string {
  const writable = rules.flatMap(rule => /^(?:readwrite|write) (.+)$/.exec(rule)?.[1] ?? [])[0] ?? `devices/%u/#`;
  const topic = writable.replaceAll('%u', name).replace(/#$/, 'hello').replaceAll('+', 'hello');
  return topic === 'hello' ? `devices/${name}/hello` : topic;
}

const kitPath = (call: Call, name: string): string =>
  path.join(call.value('--to') ?? '.', `${name}-kit${call.has('--zip') ? '.zip' : ''}`);

/** Before anything is issued: a certificate without its kit would help nobody. */
function refuseKitThere(call: Call, name: string): void {
  const target = kitPath(call, name);
  if (call.has('--link') || !fs.existsSync(target)) return;
  throw new PkiError({
    code: 'device.kit-there',
    where: target,
    saw: 'there is one already',
    why: 'It may hold the only copy of a key.',
    remedy: ['Move it away, or choose another place with --to DIR.'],
  });
}

function writeKit(call: Call, kit: KitFacts): string {
  const target = kitPath(call, kit.name);
  const files = kitFiles(kit);
  if (call.has('--zip')) {
    const content = zip(files, new Date(call.context.wall()));
    writeNewFiles(path.dirname(target), [{ name: path.basename(target), content }]);
  } else writeNewFiles(target, files);
  return target;
}

function sayAdded(call: Call, kit: KitFacts, target: string): void {
  call.say(
    `${kit.name}: ${target}, until ${timeText(kit.certificate.validToDate.getTime())}`,
    ...(call.words.length === 1 && !call.has('--zip')
      ? ['  Try it now:', `  cd ${target} && ${mosquittoLine('mosquitto_pub', kit, '-m hello')}`]
      : []),
  );
}
