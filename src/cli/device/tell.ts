/** `device list`, `show`, `revoke`, `template`: what there is, and what it may do. */
import path from 'node:path';
import {
  liveCertificates,
  daysText,
  readLedger,
  type RegisteredIdentity,
  stateOf,
  timeText,
  withRegistry,
} from '../../pki/mod.ts';
import { namesOfPeople, setTemplate, templateNamed, templates, writeAccess } from '../../server/devices/mod.ts';
import { sayRevoked } from '../ca/revoke.ts';
import { becauseOption, jsonOption } from '../ca/options.ts';
import { type Call, type Subcommand } from '../ca/subcommand.ts';
import { textTable } from '../ca/table.ts';
import { identityNamed } from './identity.ts';

export const listCommand: Subcommand = {
  name: 'list',
  atLeast: 0,
  atMost: 0,
  options: [jsonOption],
  says: 'All devices and operators: state, until when, access template.',
  run(call) {
    const { folder, now } = call.home;
    const all = [...readLedger(folder).identities.values()].map(each => summary(each, now));
    if (call.has('--json')) call.say(JSON.stringify(all, null, 2));
    else if (all.length === 0) call.say("There is no device yet: 'zancudo device add NAME' makes one.");
    else {
      const rows = all.map(each => [each.name, each.profile, each.template, each.state, each.ends.slice(0, 10), each.left]);
      call.say(...textTable(['NAME', 'WHAT', 'TEMPLATE', 'STATE', 'UNTIL', 'LEFT'], rows));
    }
    return 0;
  },
}; // prettier-ignore

/** The certificate that lasts longest speaks for the device. */
function summary(identity: RegisteredIdentity, now: number) {
  const { name, profile, template, certificates } = identity;
  const live = liveCertificates(identity, now)
    .sort((a, b) => a.ends - b.ends)
    .at(-1);
  const shown = live ?? certificates.at(-1)!;
  const state = live ? 'valid' : stateOf(shown, identity, now);
  const left = live ? daysText(live.ends - now) : '';
  return { name, profile, template, state, ends: new Date(shown.ends).toISOString(), left, serial: shown.serial };
}

export const showCommand: Subcommand = {
  name: 'show',
  operands: 'NAME',
  atLeast: 1,
  atMost: 1,
  options: [jsonOption],
  says: 'One device: its certificates and what it may do.',
  run(call) {
    const { folder, now } = call.home;
    const identity = identityNamed(readLedger(folder), call.words[0] ?? '');
    const { rules } = templateNamed(folder, identity.template);
    const certificates = identity.certificates.map(({ serial, ends, issuedAt, revokedAt, revokedBecause, ...each }) => ({
      serial,
      state: stateOf({ serial, ends, issuedAt, revokedAt, revokedBecause, ...each }, identity, now),
      issued: timeText(issuedAt),
      ends: timeText(ends),
      revoked: revokedAt === null ? null : `${timeText(revokedAt)} ${revokedBecause ?? ''}`.trim(),
    }));
    if (call.has('--json')) {
      call.say(JSON.stringify({ ...summary(identity, now), rules, certificates }, null, 2));
      return 0;
    }
    call.say(
      `${identity.name} (${identity.profile})`,
      `  may          (template ${identity.template})`,
      ...rules.map(rule => `    ${rule.replaceAll('%u', identity.name)}`),
      '  certificates',
      ...certificates.map(each => `    ${each.serial}  ${each.state}, issued ${each.issued}, ${each.revoked ? `revoked ${each.revoked}` : `until ${each.ends}`}`), // prettier-ignore
    );
    return 0;
  },
}; // prettier-ignore

export const revokeCommand: Subcommand = {
  name: 'revoke',
  operands: 'NAME...',
  atLeast: 1,
  atMost: 1000,
  options: [becauseOption],
  says: 'Lock devices out: their connections are closed at once, and nobody comes in with their certificates again.',
  async run(call) {
    const counts = await withRegistry(call.home, async registry => {
      const identities = call.words.map(name => identityNamed(registry.ledger, name));
      const serials = identities.map(each => each.certificates.filter(one => one.revokedAt === null).map(one => one.serial)); // prettier-ignore
      registry.revoke(serials.flat(), call.value('--because') ?? '');
      registry.publish();
      writeAccess(registry);
      return serials.map(each => each.length);
    });
    call.words.forEach((name, i) => sayRevoked(call, name, counts[i] ?? 0));
    const people = namesOfPeople(call.home.folder);
    for (const name of call.words.filter(each => people.has(each))) {
      call.warn(
        `${name} also has a password or rules of its own, and may still log in with it.`,
        `  zancudo passwd -D ${path.join(call.home.folder, 'passwords')} ${name}`,
      );
    }
    return 0;
  },
};

export const templateCommand: Subcommand = {
  name: 'template',
  operands: "[NAME ['ACCESS FILTER'...]]",
  atLeast: 0,
  atMost: 100,
  options: [{ long: '--of', argument: 'DEVICE', many: true, says: 'Give this device the template NAME.' }],
  says: "What devices may do: list templates, show one, or write one. A rule is 'readwrite devices/%u/#': read, write, readwrite or deny, and a filter in which %u is the device's name.",
  run: template,
};

async function template(call: Call): Promise<number> {
  const [name, ...rules] = call.words;
  if (name === undefined) return listTemplates(call);
  const devices = call.values('--of');
  if (rules.length === 0 && devices.length === 0) {
    call.say(...templateNamed(call.home.folder, name).rules);
    return 0;
  }
  await withRegistry(call.home, async registry => {
    if (rules.length > 0) setTemplate(registry, name, rules);
    else templateNamed(registry.folder, name);
    for (const device of devices) {
      identityNamed(registry.ledger, device);
      registry.setTemplate(device, name);
    }
    writeAccess(registry);
  });
  const users = [...readLedger(call.home.folder).identities.values()].filter(each => each.template === name);
  call.say(`Template ${name} is in force for ${users.length === 0 ? 'nobody yet' : users.map(each => each.name).join(', ')}.`);
  return 0;
} // prettier-ignore

function listTemplates(call: Call): number {
  const rows = templates(call.home.folder).map(({ name, rules, builtIn }) => [name, builtIn ? 'built in' : 'own', rules.join('; ')]); // prettier-ignore
  call.say(...textTable(['TEMPLATE', '', 'RULES'], rows));
  return 0;
}
