/**
 * Finds out what is to be looked at, and looks.
 *
 *   nothing            our home                        FOLDER with zancudo.conf    that home
 *   FILE.conf          it, all it names, scripts       FOLDER                      certificates, keys, lists, extension files,
 *   FILE (PEM)         that certificate or key                                     client scripts, a mosquitto.conf
 */
import fs from 'node:fs';
import path from 'node:path';
import { findingLines, type Finding } from '../../base/mod.ts';
import { authorityFiles, explainCertificateFiles, PkiError, timeText } from '../../pki/mod.ts';
import { explainConfiguration } from './configuration.ts';
import { devicesEndSoon } from './expiries.ts';
import { isKeptCopy } from './mend.ts';
import { explainScripts } from './scripts.ts';

export interface Examined {
  /** `the home /home/me/.zancudo`, for the heading. */
  what: string;
  findings: Finding[];
}

/** Folders of certificates are small; in anything larger only the first files are looked at. */
const filesMax = 1000;
const depthMax = 2;

export function examine(target: string, now: number): Examined {
  const stats = fs.statSync(target, { throwIfNoEntry: false });
  if (stats === undefined) throw nothingThere(target, 'there is no such file or folder');
  if (!stats.isFile() && !stats.isDirectory()) throw nothingThere(target, 'it is neither a file nor a folder');
  const { what, findings } = stats.isDirectory() ? examineFolder(target, now) : examineFile(target, now);
  return { what, findings: inOrder([...clock(now), ...findings]) };
}

export function examineHome(home: string, now: number): Examined {
  const configuration = path.join(home, 'zancudo.conf');
  const { rootKey } = authorityFiles(home);
  const findings = [...explainConfiguration(configuration, now), ...devicesEndSoon(home, now), ...openHome(home)];
  if (fs.existsSync(rootKey)) findings.push(rootAtHome(rootKey));
  return { what: `the home ${home}`, findings: inOrder([...clock(now), ...findings.filter(isNews)]) };
}

/** A home renews its own server certificates, and whoever reads this has no CA key to hand out. */
function isNews({ code }: Finding): boolean {
  return code !== 'expiry.certificate';
}

function examineFolder(folder: string, now: number): Examined {
  if (fs.existsSync(path.join(folder, 'zancudo.conf'))) return examineHome(folder, now);
  const files = filesIn(folder, depthMax);
  const configuration = path.join(folder, 'mosquitto.conf');
  const findings = [...explainCertificateFiles(files, now), ...explainScripts(files)];
  if (files.includes(configuration)) findings.push(...explainConfiguration(configuration, now));
  return { what: `the folder ${folder}, ${files.length} files`, findings };
}

function examineFile(file: string, now: number): Examined {
  const text = fs.readFileSync(file, 'latin1');
  if (text.includes('-----BEGIN ')) {
    return { what: `the file ${file}`, findings: explainCertificateFiles([file], now) };
  }
  if (isScript(file, text)) return { what: `the script ${file}`, findings: explainScripts([file]) };
  if (/^\s*subjectAltName\s*=/m.test(text)) {
    return { what: `the extension file ${file}`, findings: explainCertificateFiles([file], now) };
  }
  const beside = filesIn(path.dirname(file), 0);
  const findings = [...explainConfiguration(file, now), ...explainScripts(beside)];
  return { what: `the configuration ${file}`, findings };
}

function isScript(file: string, text: string): boolean {
  return text.startsWith('#!') || /\.(sh|py|m?js|cjs|ts|ino|cpp)$/.test(file);
}

function filesIn(folder: string, depth: number): string[] {
  const entries = fs.readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  const found = entries.flatMap(entry => {
    const each = path.join(folder, entry.name);
    // Folders of certificates are full of symbolic links.
    const isFile = entry.isFile() || (entry.isSymbolicLink() && isPlainFile(each));
    if (isFile) return isKeptCopy(each) ? [] : [each];
    return entry.isDirectory() && depth > 0 && entry.name !== 'node_modules' ? readable(each, depth - 1) : [];
  });
  return found.slice(0, filesMax);
}

function isPlainFile(file: string): boolean {
  return fs.statSync(file, { throwIfNoEntry: false })?.isFile() === true;
}

function readable(folder: string, depth: number): string[] {
  try {
    return filesIn(folder, depth);
  } catch {
    return [];
  }
}

/** No certificate that matters is older than this program: a machine without a battery starts in 1970. */
const clockFloor = Date.UTC(2026, 0, 1);

export function clock(now: number): Finding[] {
  if (now >= clockFloor) return [];
  return [
    {
      code: 'machine.clock',
      severity: 'error',
      where: 'clock of this machine',
      saw: `it says ${timeText(now)}`,
      why: 'That is past. Certificates seem not to be valid yet, and new ones would have ended before they are used.',
      remedy: ['timedatectl set-ntp true'],
    },
  ];
}

function openHome(home: string): Finding[] {
  const mode = fs.statSync(home).mode & 0o777;
  if (process.platform === 'win32' || (mode & 0o077) === 0) return [];
  return [
    {
      code: 'home.open-to-others',
      severity: 'warning',
      where: home,
      saw: `other users of this machine may look into it (mode ${mode.toString(8)})`,
      why: 'It holds private keys.',
      remedy: [`chmod go= ${home}`],
    },
  ];
}

function rootAtHome(rootKey: string): Finding {
  return {
    code: 'home.root-key-here',
    severity: 'note',
    where: rootKey,
    saw: 'the key of the root CA is on this machine',
    why: 'It is needed once in years. On a stick it survives this disk, and nobody who breaks in here gets it.',
    remedy: [`cp -r ${path.dirname(rootKey)} /media/STICK/ && shred -u ${rootKey}`],
  };
}

function nothingThere(target: string, saw: string): PkiError {
  return new PkiError({
    code: 'doctor.nothing-there',
    where: target,
    saw,
    why: 'There is nothing to look at.',
    remedy: ['zancudo doctor --help'],
  });
}

const order = { error: 0, warning: 1, note: 2 };

/** Each thing once, the worst first. */
export function inOrder(findings: readonly Finding[]): Finding[] {
  const once = new Map(findings.map(each => [findingLines(each).join('\n'), each]));
  return [...once.values()].sort((a, b) => order[a.severity] - order[b.severity]);
}
