/**
 * What the doctor can mend by itself: a table by the code of the finding. A fix is safe when nothing that works now can
 * stop working by it; every other one is asked for.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Finding } from '../../base/mod.ts';
import { mendedExtensionFile } from '../../pki/mod.ts';
import type { Context } from '../context.ts';
import { changeFile } from '../replace-file.ts';

export interface Fix {
  isSafe: boolean;
  /** What is done, as a sentence without its full stop. */
  says: string;
  /** Files whose content changes: a copy of each is kept. */
  changes: readonly string[];
  apply(): void | Promise<void>;
}

export interface Surgery {
  context: Context;
  /** The configuration that was looked at; null for none. */
  configuration: string | null;
}

type Method = (finding: Finding, surgery: Surgery) => Fix | null;

const methods: Record<string, Method> = {
  'file.open-to-others': ({ where }) => mode(where, 0o007, true),
  'file.replaceable': ({ where }) => mode(where, 0o002, false),
  'home.open-to-others': ({ where }) => mode(where, 0o077, true),
  'conf.odd-blanks': straightenBlanks,
  'conf.tls-version-obsolete': finding => line(finding, 'asks for TLS 1.2 or newer', true, () => 'tls_version tlsv1.2'),
  'conf.option-gone': finding => line(finding, 'turns the line into a comment', true, text => `# ${text}`),
  'conf.refused': correctName,
  'tls.file-missing': correctPath,
  'file.missing': correctPath,
  'ext.alternative-names-repeated': mendExtensions,
  'ext.non-breaking-spaces': mendExtensions,
  'access.passwords-in-the-clear': hashPasswords,
  'client.insecure': takeInsecureOut,
  'tls.file-forbidden': runCommands,
  'tls.alternative-names-lost': runCommands,
  'tls.same-subject': runCommands,
  'tls.certificate-version-1': runCommands,
  'tls.no-alternative-names': runCommands,
  'tls.key-too-small': runCommands,
};

export function fixFor(finding: Finding, surgery: Surgery): Fix | null {
  return methods[finding.code]?.(finding, surgery) ?? null;
}

/** The bits are taken away, whatever else the mode is. */
function mode(target: string, bits: number, isSafe: boolean): Fix {
  const before = fs.statSync(target).mode & 0o7777;
  const after = before & ~bits;
  const text = (value: number): string => value.toString(8).padStart(4, '0');
  return {
    isSafe,
    says: `${target}: mode ${text(before)} becomes ${text(after)}`,
    changes: [],
    apply: () => fs.chmodSync(target, after),
  };
}

interface Spot {
  file: string;
  lines: number[];
}

/** `FILE:7`, `FILE:7,9` and `FILE:1,2,3,4,5 and 6 more`; null when the finding names no line. */
function spotOf({ where }: Finding): Spot | null {
  const match = /^(.+?):([\d,]+)(?: and \d+ more)?$/.exec(where);
  if (!match) return null;
  return { file: match[1] ?? '', lines: (match[2] ?? '').split(',').map(Number) };
}

function line(finding: Finding, says: string, isSafe: boolean, change: (text: string) => string | null): Fix | null {
  const spot = spotOf(finding);
  if (spot === null) return null;
  return {
    isSafe,
    says: `${finding.where}: ${says}`,
    changes: [spot.file],
    apply: () => changeLines(spot.file, (text, number) => (spot.lines.includes(number) ? change(text) : null)),
  };
}

/** `change` gives the new line, or null to leave it. */
function changeLines(file: string, change: (text: string, number: number) => string | null): void {
  changeFile(file, text => {
    const before = text.split('\n');
    return before.map((each, at) => change(each, at + 1) ?? each).join('\n');
  });
}

const blank = /[\t\u00a0\u2000-\u200b\u202f\u205f\u3000\ufeff]/gu;
const edges = /^([\s\u200b\ufeff]*\S+?)([\s\u200b\ufeff]+)|[\s\u200b\ufeff]+$/gu;

/** Within a path they may belong to a name: there only those around the words are changed. */
function straightenBlanks(finding: Finding): Fix | null {
  const file = spotOf(finding)?.file;
  if (file === undefined) return null;
  const straighten = (text: string): string =>
    text.includes('/') ? text.replace(edges, part => part.replace(blank, ' ')) : text.replace(blank, ' ');
  return {
    isSafe: true,
    says: `${file}: invisible characters become plain spaces`,
    changes: [file],
    apply: () =>
      changeLines(file, latin1 => {
        const bytes = Buffer.from(latin1, 'latin1');
        const text = bytes.toString('utf8');
        return Buffer.from(text, 'utf8').equals(bytes) ? Buffer.from(straighten(text)).toString('latin1') : null;
      }),
  };
}

function correctName(finding: Finding): Fix | null {
  const wrong = /^Unknown configuration variable '(.+)'$/.exec(finding.saw)?.[1];
  const meant = finding.remedy.map(each => /^Did you mean '(\w+)'\?/.exec(each)?.[1]).find(each => each !== undefined);
  if (wrong === undefined || meant === undefined) return null;
  return line(finding, `'${wrong}' becomes '${meant}'`, false, text => text.replace(wrong, meant));
}

/** The path as it is written in the configuration, for the nearest one that exists. */
function correctPath({ where, remedy }: Finding, { configuration }: Surgery): Fix | null {
  const meant = remedy.map(each => /^(?:Perhaps you meant: \w+ |Probably meant: ')(.+?)'?\.?$/.exec(each)?.[1]).find(each => each !== undefined); // prettier-ignore
  if (meant === undefined || configuration === null || !fs.existsSync(meant)) return null;
  const isIt = (text: string): boolean => text.trimEnd().endsWith(` ${where}`) && !text.startsWith('#');
  const written = fs.readFileSync(configuration, 'latin1').split('\n');
  if (!written.some(isIt)) return null;
  return {
    isSafe: false,
    says: `${configuration}: ${where} becomes ${meant}`,
    changes: [configuration],
    apply: () => changeLines(configuration, text => (isIt(text) ? text.replace(where, meant) : null)),
  };
}

/** The file makes nothing by itself: mending it cannot hurt. */
function mendExtensions({ where }: Finding): Fix {
  const file = where.replace(/:\d+$/, '');
  return {
    isSafe: true,
    says: `${file}: plain blanks, and all names in one subjectAltName line`,
    changes: [file],
    apply: () => void changeFile(file, () => Buffer.from(mendedExtensionFile(file)).toString('latin1')),
  };
}

function hashPasswords({ where }: Finding, { context }: Surgery): Fix {
  return {
    isSafe: false,
    says: `${where}: every password in it is hashed`,
    changes: [where],
    apply: async () => {
      const { run } = await import('../passwd.ts');
      await run(['-U', where], context);
    },
  };
}

function takeInsecureOut(finding: Finding): Fix | null {
  if (!finding.saw.includes(' --insecure')) return null;
  const says = '--insecure goes: it then connects only if the certificate is good';
  return line(finding, says, false, text => text.replace(/\s--insecure\b/, ''));
}

const command = /^(?:sudo chgrp|openssl|printf) /;

/** What the finding says is done as it says it, where it can be: with the CA's key at hand, and as root. */
function runCommands({ where, remedy }: Finding): Fix | null {
  const commands = remedy.filter(each => command.test(each));
  const needsRoot = commands.some(each => each.startsWith('sudo '));
  const isOpen = remedy.some(each => /^\((CA\.\w+) is /.test(each));
  if (commands.length === 0 || isOpen || !path.isAbsolute(where)) return null;
  if (needsRoot && process.getuid?.() !== 0) return null;
  const lines = commands.map(each => each.replaceAll('sudo ', ''));
  const words = lines.flatMap(shellWords).filter(word => path.isAbsolute(word));
  const isNewCa = lines.some(each => / -x509 /.test(each));
  return {
    isSafe: false,
    says: `${where}: runs ${lines.length === 1 ? 'the command' : `the ${lines.length} commands`} above${isNewCa ? '; every client then needs the new CA' : ''}`,
    changes: needsRoot ? [] : [...new Set(words)].filter(word => fs.existsSync(word)),
    apply: () => runInScratch(lines),
  };
}

/** The inverse of shellWord(): `'it'\\''s'` is one word. */
function shellWords(text: string): string[] {
  const words = text.match(/(?:'[^']*'|\\.|[^\s'\\])+/g) ?? [];
  return words.map(word =>
    word.replace(/'([^']*)'|\\(.)/g, (_, quoted: string | undefined, one: string) => quoted ?? one),
  );
}

/** What the commands write beside the files they name is not kept. */
function runInScratch(lines: readonly string[]): void {
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'zancudo-doctor-'));
  try {
    execFileSync('/bin/sh', ['-c', ['set -e', 'umask 077', ...lines].join('\n')], { cwd: scratch, stdio: 'pipe' });
  } finally {
    fs.rmSync(scratch, { recursive: true, force: true });
  }
}
