/** Whether a server's certificate bears the names that clients connect to, and where they got lost if it does not. */
import { isIP } from 'node:net';
import type { Finding } from '../base/mod.ts';
import type { CertificateFacts, SubjectAltName } from './inspect.ts';
import { machineNames } from './machine-names.ts';
import { altNameText } from './openssl-commands.ts';
import { reissue, type Check, type ServerFiles } from './server-files.ts';
import type { ExtensionFile } from './surroundings.ts';

export const nameChecks: readonly Check[] = [versionThree, namesPresent, namesComplete];

function versionThree(files: ServerFiles): Finding | null {
  const { leaf, certFile } = files;
  if (leaf.version >= 3) return null;
  return {
    code: 'tls.certificate-version-1',
    severity: 'warning',
    where: certFile,
    saw: `it is a certificate of version ${leaf.version}, so it has no subjectAltName and says nothing of its use`,
    why:
      '"openssl x509 -req" without -extfile makes such certificates. Clients look for the name they connected to ' +
      'among the alternative names; without any, most refuse it.',
    remedy: reissue(files, false),
  };
}

function namesPresent(files: ServerFiles): Finding | null {
  const { leaf, certFile } = files;
  if (leaf.version < 3 || leaf.names.length > 0 || leaf.isCa) return null;
  return {
    code: 'tls.no-alternative-names',
    severity: 'warning',
    where: certFile,
    saw: 'it has no subjectAltName',
    why:
      'Clients look for the name or address they connected to among the alternative names; ' +
      'the common name is no longer looked at.',
    remedy: reissue(files, false),
  };
}

/** The first tutorial's fault: one subjectAltName line per name, and OpenSSL keeps the last without a word. */
function namesComplete(files: ServerFiles): Finding | null {
  const repeated = files.extensionFiles.find(each => wonByLastLine(each, files.leaf));
  const lost = repeated ? namesLost(repeated, files.leaf) : [];
  const spaced = files.extensionFiles.find(each => each.nonBreakingSpaceLine !== null);
  if (repeated && lost.length > 0) return namesOverwritten(files, repeated, lost);
  return spaced || files.leaf.names.length === 1 ? fewNames(files, spaced) : null;
}

const overwriting =
  'Of several subjectAltName lines in a section OpenSSL keeps only the last, without a word: each overwrites the one ' +
  'before. Clients that connect by another name, or by an address, refuse the certificate; --insecure only hides that.';

function namesOverwritten(files: ServerFiles, { file, altNameLines }: ExtensionFile, lost: string[]): Finding {
  const kept = altNameText(files.leaf.names);
  return {
    code: 'tls.alternative-names-lost',
    severity: 'warning',
    where: files.certFile,
    saw: `it got only ${kept} of the ${altNameLines.length} subjectAltName lines in ${file}; lost: ${lost.join(', ')}`,
    why: overwriting,
    remedy: ['Put all names into one line, and issue the certificate again:', ...reissue(files, false)],
  };
}

/** One name is enough for a public host; in a house, where a bare name reaches few, it is what overwriting leaves. */
function fewNames(files: ServerFiles, spaced: ExtensionFile | undefined): Finding {
  const { leaf, cas, certFile } = files;
  const ownCa = cas.some(ca => ca.subject === leaf.issuer);
  const bare = leaf.names.length === 1 && leaf.names.every(({ kind, value }) => kind === 'dns' && !value.includes('.'));
  const names = [...leaf.names, ...machineNames().names.filter(name => !has(leaf, name))];
  return {
    code: 'tls.few-alternative-names',
    severity: ownCa && bare ? 'warning' : 'note',
    where: certFile,
    saw: `it is good for ${altNameText(leaf.names) || 'no name'} only${sawSpace(spaced)}`,
    why: overwriting,
    remedy: [
      'If clients use other names or addresses, put all into one line, and issue it again, with those of this machine:',
      ...reissue({ ...files, names }, false),
    ],
  };
}

function sawSpace(file: ExtensionFile | undefined): string {
  if (!file) return '';
  return (
    `; line ${file.nonBreakingSpaceLine} of ${file.file} has a non-breaking space (U+00A0), as copied from a web page, ` +
    'which OpenSSL does not take for a blank'
  );
}

/** A file with several lines made this certificate if the certificate has what the last one says. */
function wonByLastLine({ altNameLines }: ExtensionFile, leaf: CertificateFacts): boolean {
  const last = wantedNames(altNameLines.slice(-1));
  return altNameLines.length > 1 && last.every(name => has(leaf, name));
}

function namesLost({ altNameLines }: ExtensionFile, leaf: CertificateFacts): string[] {
  return wantedNames(altNameLines)
    .filter(name => !has(leaf, name))
    .map(name => altNameText([name]));
}

function has(leaf: CertificateFacts, wanted: SubjectAltName): boolean {
  return leaf.names.some(
    ({ kind, value }) => kind === wanted.kind && value.toLowerCase() === wanted.value.toLowerCase(),
  );
}

function wantedNames(lines: readonly string[]): SubjectAltName[] {
  return lines
    .flatMap(line => line.split(','))
    .map(name => /^(DNS|IP):([\x21-\x7e]+)$/i.exec(name.replace(/[\s\u00a0]+/g, '')))
    .filter(match => match !== null)
    .map(([, kind = '', value = '']) => ({ kind: kind.toUpperCase() === 'IP' ? 'ip' : 'dns', value }));
}

/** What a new certificate should carry: the names there are and those that were lost, or else whatever we go by. */
export function intendedNames(leaf: CertificateFacts, files: readonly ExtensionFile[]): SubjectAltName[] {
  const written = files.filter(each => wonByLastLine(each, leaf)).flatMap(each => wantedNames(each.altNameLines));
  const all = [...leaf.names, ...written.filter(name => !has(leaf, name))];
  const common = leaf.subjectParts.find(each => each.type === 'CN')?.value.trim() ?? '';
  if (all.length > 0) return all;
  const named: SubjectAltName[] = /^[\w.-]+$/.test(common)
    ? [{ kind: isIP(common) ? 'ip' : 'dns', value: common }]
    : [];
  return [...named, ...machineNames().names.filter(({ value }) => value !== common.toLowerCase())];
}
