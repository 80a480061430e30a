/** Everything a configuration names: its lines, its listeners, its certificates and its files of secrets. */
import fs from 'node:fs';
import { userInfo } from 'node:os';
import type { Finding } from '../../base/mod.ts';
import { nearestExistingPath, type ListenerSettings, type Settings } from '../../conf/mod.ts';
import { explainAccess, explainTlsFiles, loadErrorOf, type Reader, readerNamed, type TlsFiles } from '../../pki/mod.ts';
import { planUpgrade } from '../../security/mod.ts';
import { endsSoon } from './expiries.ts';
import { explainListeners } from './listeners.ts';
import { readThrough } from './read-through.ts';

export function explainConfiguration(file: string, now: number): Finding[] {
  const { settings, findings } = readThrough(file);
  if (settings === null) return findings;
  const reader = brokerUser(settings);
  const named = settings.listeners.flatMap(listener => filesOf(listener));
  const tls = settings.listeners.flatMap(listener => explainTls(listener, now));
  const secrets = named.flatMap(each => explainNamed(each, reader, tls));
  return [...findings, ...explainListeners(settings), ...tls, ...secrets, ...explainBridges(settings)];
}

/** Started by root the broker becomes this user; started by anybody else it stays who it is. */
function brokerUser({ user, places }: Settings): Reader | null {
  const isRoot = process.getuid?.() === 0;
  if (!isRoot) return null;
  return readerNamed(places['user'] === undefined ? 'mosquitto' : user);
}

function tlsFilesOf({ certfile, keyfile, certfileRsa, keyfileRsa, cafile, crlfile }: ListenerSettings): TlsFiles {
  const pairs: [string | null, string | null][] = [
    [certfile, keyfile],
    [certfileRsa, keyfileRsa],
  ];
  const certificates = pairs.flatMap(([certFile, keyFile]) =>
    certFile === null || keyFile === null ? [] : [{ certFile, keyFile }],
  );
  return { certificates, caFile: cafile, crlFile: crlfile };
}

function explainTls(listener: ListenerSettings, now: number): Finding[] {
  const files = tlsFilesOf(listener);
  if (files.certificates.length === 0) return [];
  const nearest = (path: string): string | null => nearestExistingPath(path)?.candidates[0] ?? null;
  const found = explainTlsFiles({ files, error: loadErrorOf(files, listener.ciphers), now, nearest });
  return [...found.map(asOurselves), ...endsSoon(files, now)];
}

/** Not being root we see with our own eyes, not with the broker's. */
function asOurselves(finding: Finding): Finding {
  if (finding.code !== 'tls.file-forbidden') return finding;
  const user = userName();
  return {
    ...finding,
    why: `Looked at as ${user}. ${finding.why.replace(/^The broker runs as user/, 'If the broker runs as')}`,
    remedy: [`Look again as root, who sees what the broker's own user may: sudo zancudo doctor`, ...finding.remedy],
  };
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? 'this user');
  }
}

interface NamedFile {
  option: string;
  file: string;
  isSecret: boolean;
  /** Looked at by explainTlsFiles already. */
  isTls: boolean;
}

function filesOf(listener: ListenerSettings): NamedFile[] {
  const { certificates, caFile, crlFile } = tlsFilesOf(listener);
  const { passwordFile, aclFile, pskFile } = listener.security;
  const tls = (option: string, file: string | null, isSecret = false): NamedFile[] =>
    file === null ? [] : [{ option, file, isSecret, isTls: true }];
  const other = (option: string, file: string | null, isSecret: boolean): NamedFile[] =>
    file === null ? [] : [{ option, file, isSecret, isTls: false }];
  return [
    ...certificates.flatMap(({ certFile, keyFile }) => [
      ...tls('certfile', certFile),
      ...tls('keyfile', keyFile, true),
    ]),
    ...tls('cafile', caFile),
    ...tls('crlfile', crlFile),
    ...other('password_file', passwordFile, true),
    ...other('acl_file', aclFile, false),
    ...other('psk_file', pskFile, true),
  ];
}

function explainNamed({ option, file, isSecret, isTls }: NamedFile, reader: Reader | null, tls: Finding[]): Finding[] {
  const said = tls.some(each => each.code === 'tls.file-forbidden' && each.where === file);
  const access = explainAccess({ option, file, reader: said ? null : reader, isSecret });
  if (isTls) return access;
  const nearest = nearestExistingPath(file);
  if (nearest !== null) return [missing(option, file, nearest.lines)];
  return [...access, ...(option === 'password_file' ? explainPasswords(file) : [])];
}

function missing(option: string, file: string, lines: readonly string[]): Finding {
  return {
    code: 'file.missing',
    severity: 'error',
    where: file,
    saw: 'there is no such file',
    why: `${option} names it, and the broker does not start without it.`,
    remedy: [...lines],
  };
}

function explainPasswords(file: string): Finding[] {
  const plan = planOf(file);
  if (plan === null) return [];
  const { plain, hashed } = plan;
  if (plain.length > 0) return [passwordsInTheClear(file, plain.length)];
  return hashed.length > 0 ? [] : [noUsers(file)];
}

function planOf(file: string): ReturnType<typeof planUpgrade> | null {
  try {
    return planUpgrade(fs.readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
}

function passwordsInTheClear(file: string, count: number): Finding {
  return {
    code: 'access.passwords-in-the-clear',
    severity: 'error',
    where: file,
    saw: `${count === 1 ? 'a password in it is' : `${count} passwords in it are`} not hashed`,
    why: 'The broker does not know such a line, so these users do not get in; and whoever reads the file has their passwords.',
    remedy: [`zancudo passwd -U ${file}`],
  };
}

function noUsers(file: string): Finding {
  return {
    code: 'access.no-users',
    severity: 'warning',
    where: file,
    saw: 'there is no user in it',
    why: 'Nobody gets in with a password.',
    remedy: [`zancudo passwd ${file} NAME`],
  };
}

function explainBridges({ bridges }: Settings): Finding[] {
  return bridges.flatMap(bridge => {
    const place = bridge.place === null ? bridge.name : `${bridge.place.file}:${bridge.place.line}`;
    if (!bridge.insecure) return [];
    return [
      {
        code: 'bridge.insecure',
        severity: 'warning',
        where: place,
        saw: `bridge "${bridge.name}" does not check the name in the certificate of the other broker (bridge_insecure)`,
        why: 'Anybody with a certificate of the same CA can pretend to be it.',
        remedy: ['Give the other broker a certificate with its name or address, then take bridge_insecure out.'],
      },
    ];
  });
}
