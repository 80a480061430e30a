/**
 * What devices may do: access templates, and the part of the access file that is made from them.
 *
 *   template `sensor`:  write sensors/%u/#        device lamp  ->   user lamp
 *                       read commands/%u                            # certificate 5E:0A:...
 *                                                                   topic write sensors/lamp/#
 *                                                                   topic read commands/lamp
 *
 * The rules are those of the certificates (security/certificate-identity.ts): every one that still lets the device in
 * stands there by its fingerprint.
 *
 * The access file is the owner's; only what stands between the two marks at its end is written here.
 */
import { hash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { checkName, liveCertificates, PkiError, type Registry } from '../../pki/mod.ts';
import { certificateLine, devicesBegin, devicesEnd } from '../../security/mod.ts';
import { isValidFilter } from '../../topics/mod.ts';

export interface Template {
  name: string;
  /** `readwrite devices/%u/#`, as behind `topic` in an acl_file. */
  rules: readonly string[];
  /** Comes with the program and has not been changed. */
  builtIn: boolean;
}

const builtIn: Record<string, readonly string[]> = {
  device: ['readwrite devices/%u/#'],
  operator: ['readwrite #', 'read $SYS/#'],
};

const templateFile = (folder: string, name: string): string => path.join(folder, 'templates', name);

export function templateNamed(folder: string, name: string): Template {
  checkName(name);
  const own = readLines(templateFile(folder, name));
  if (own) return { name, rules: own, builtIn: false };
  const rules = Object.hasOwn(builtIn, name) ? builtIn[name] : undefined;
  if (rules) return { name, rules, builtIn: true };
  throw new PkiError({
    code: 'access.no-template',
    where: name,
    saw: 'there is no access template of that name',
    why: 'It says what a device may publish and subscribe.',
    remedy: [
      `There are: ${templates(folder).map(each => each.name).join(', ')}`,
      `Make it: zancudo device template ${name} 'readwrite devices/%u/#'`,
    ], // prettier-ignore
  });
}

export function templates(folder: string): Template[] {
  const directory = path.join(folder, 'templates');
  const own = fs.existsSync(directory) ? fs.readdirSync(directory).filter(name => !name.includes('.tmp-')) : [];
  return [...new Set([...Object.keys(builtIn), ...own])].sort().map(name => templateNamed(folder, name));
}

/** The caller holds the lock; writeAccess() puts it in force. */
export function setTemplate({ home }: Registry, name: string, rules: readonly string[]): void {
  checkName(name);
  for (const rule of rules) checkRule(rule);
  home.store.makeFolder(path.join(home.folder, 'templates'));
  home.store.write(templateFile(home.folder, name), rules.map(rule => `${rule}\n`).join(''));
}

function checkRule(rule: string): void {
  const [, access, filter] = /^(read|write|readwrite|deny) (\S.*)$/.exec(rule) ?? [];
  const good = access !== undefined && filter !== undefined && !/[\r\n%]/.test(filter.replaceAll('%u', ''));
  if (good && isValidFilter(filter.replaceAll('%u', 'name'))) return;
  throw new PkiError({
    code: 'access.bad-rule',
    where: JSON.stringify(rule),
    saw: 'this is no rule',
    why: 'A rule is one of read, write, readwrite and deny, a blank, and a topic filter in which %u is the name of the device.',
    remedy: ["For example 'readwrite devices/%u/#', 'read commands/+', 'deny devices/%u/secret'."],
  });
}

/** True when the file had to be changed. The caller holds the lock. */
export function writeAccess(registry: Registry): boolean {
  const file = accessFile(registry.folder);
  const before = fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '';
  const after = withDevices(before, rulesOfAll(registry));
  if (after === before) return false;
  registry.home.store.write(file, after);
  return true;
}

export const accessFile = (folder: string): string => path.join(folder, 'access');

function rulesOfAll({ ledger, folder, now }: Registry): string[] {
  const known = new Map<string, readonly string[]>();
  return [...ledger.identities.values()].flatMap(identity => {
    const live = liveCertificates(identity, now);
    if (live.length === 0) return [];
    const rules = known.get(identity.template) ?? templateNamed(folder, identity.template).rules;
    known.set(identity.template, rules);
    const certificates = live.map(({ der }) => certificateLine(fingerprintOf(der)));
    return [
      `user ${identity.name}`,
      ...certificates,
      ...rules.map(rule => `topic ${rule.replaceAll('%u', identity.name)}`),
    ];
  });
}

/** As Node writes a fingerprint. */
function fingerprintOf(der: Buffer): string {
  return hash('sha256', der, 'hex')
    .toUpperCase()
    .replace(/(..)(?=.)/g, '$1:');
}

export function withDevices(text: string, rules: readonly string[]): string {
  const [from, to] = [text.indexOf(devicesBegin), text.indexOf(devicesEnd)];
  const own = from >= 0 && to > from ? text.slice(0, from) + text.slice(to + devicesEnd.length + 1) : text;
  const tidy = own === '' || own.endsWith('\n') ? own : `${own}\n`;
  if (rules.length === 0) return tidy;
  const gap = from >= 0 || tidy === '' ? '' : '\n';
  return `${tidy}${gap}${[devicesBegin, ...rules, devicesEnd].join('\n')}\n`;
}

/** People who log in by password, and names that the owner's own rules speak of: a device must not become one of them. */
export function namesOfPeople(folder: string): Set<string> {
  const passwords = readLines(path.join(folder, 'passwords')) ?? [];
  const own = withDevices(fs.existsSync(accessFile(folder)) ? fs.readFileSync(accessFile(folder), 'utf8') : '', []);
  const ruled = own.split('\n').flatMap(line => /^user (.+)$/.exec(line)?.[1]?.trim() ?? []);
  return new Set([...passwords.map(line => line.split(':')[0] ?? ''), ...ruled]);
}

function readLines(file: string): string[] | null {
  if (!fs.existsSync(file)) return null;
  return fs
    .readFileSync(file, 'utf8')
    .split('\n')
    .filter(line => line.trim() !== '' && !line.startsWith('#'));
}
