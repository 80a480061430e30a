/**
 * The home of a broker that nobody configured:
 *
 *   ~/.zancudo/
 *     zancudo.conf   settings, in the syntax of mosquitto.conf; written once, then the owner's
 *     passwords      one user to begin with
 *     access         who may do what
 *     profiles/      where and who `zancudo pub` and `sub` are when nobody says
 *     ca.crt         what clients are given             root/ ca/ server/ clients/   keys and certificates (pki)
 *
 * prepareHome() makes what is missing and touches nothing else, so the first start, a later one and one after a power
 * cut are the same call. The password exists in the clear only in the Home it returns; until somebody has printed it
 * (announced), the marker file stays and the next start makes another.
 */
import { randomInt } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Finding } from '../base/mod.ts';
import { defaultProfileName, type Profile, profileFolder, profilePath, profileText } from '../client/mod.ts';
import {
  type CertificateHome,
  diskStore,
  ensureCertificates,
  type FileStore,
  machineNames,
  type MachineNames,
  PkiError,
  readIfThere,
  sweep,
  withLock,
} from '../pki/mod.ts';
import { hashPassword, setUser } from '../security/mod.ts';
import { homeAccess, homeConfiguration, type HomePorts } from './home-configuration.ts';

export interface Home {
  folder: string;
  configFile: string;
  passwordFile: string;
  /** The CA that clients are given. */
  cafile: string;
  /** SHA-256 of it, upper-case hexadecimal with colons. */
  caFingerprint: string;
  user: string;
  /** Null on every start but the first. */
  password: string | null;
  machine: MachineNames;
  ports: HomePorts;
  findings: Finding[];
  /** Call after the password was shown: from then on it is never made again. */
  announced(): void;
}

export interface HomeOptions {
  /** Names and addresses the machine cannot know of, such as a public DNS name. */
  extraNames?: readonly string[];
  /** For the settings of a new home. */
  ports?: HomePorts;
  now?: () => number;
  store?: FileStore;
}

const firstUser = 'zancudo';
const defaultPorts: HomePorts = { mqtt: 8883, websockets: 8884 };

/** `ZANCUDO_HOME`, or `.zancudo` in the home folder of whoever starts us. */
export function defaultHome(environment: NodeJS.ProcessEnv): string {
  return environment['ZANCUDO_HOME'] || path.join(os.homedir(), '.zancudo');
}

export async function prepareHome(homeFolder: string, options: HomeOptions = {}): Promise<Home> {
  const folder = usablePath(path.resolve(homeFolder));
  const store = options.store ?? diskStore;
  return explainingDisk(folder, async () => {
    store.makeFolder(folder);
    return withLock(folder, () => makeWhatIsMissing(folder, store, options));
  });
}

/**
 * The daily look while the broker runs: have names or addresses changed, does a certificate end soon?
 * `renewed` means that new files are there and the listeners should load them.
 */
export async function refreshHome(
  home: Home,
  options: HomeOptions = {},
): Promise<{ renewed: boolean; findings: Finding[] }> {
  const { written, findings } = await explainingDisk(home.folder, () =>
    withLock(home.folder, () =>
      ensureCertificates({
        folder: home.folder,
        store: options.store ?? diskStore,
        machine: machineNames(options.extraNames),
        now: (options.now ?? Date.now)(),
      }),
    ),
  );
  return { renewed: written.length > 0, findings };
}

async function makeWhatIsMissing(folder: string, store: FileStore, options: HomeOptions): Promise<Home> {
  const machine = machineNames(options.extraNames);
  const ports = options.ports ?? defaultPorts;
  const now = (options.now ?? Date.now)();
  const file = (name: string) => path.join(folder, name);
  const [configFile, passwordFile, marker] = [file('zancudo.conf'), file('passwords'), file('password-not-shown')];
  const secret = needsFirstUser(configFile, passwordFile, marker) ? newPassword() : null;
  // 50 ms on another thread, while the keys are made.
  const hash = secret === null ? null : hashPassword(secret, 'argon2id');
  hash?.catch(() => undefined);
  const certificates = await ensureCertificates({ folder, store, machine, now });
  const { root, anchor, findings } = certificates;
  const accessFile = file('access');
  store.makeFolder(file('data'));
  if (readIfThere(configFile) === null) {
    const rules = readIfThere(accessFile) ?? '';
    // Devices may have been added before the first start.
    if (!rules.includes(homeAccess(firstUser))) store.write(accessFile, `${homeAccess(firstUser)}${rules}`);
    const files = { passwordFile, accessFile, dataFolder: file('data') };
    store.write(configFile, configuration(folder, files, certificates, ports));
  }
  if (hash) await writeFirstUser(store, marker, passwordFile, hash);
  if (secret !== null) writeFirstProfile(store, folder, { ...whereWeAre(anchor, ports), password: secret });
  return {
    folder,
    configFile,
    passwordFile,
    cafile: anchor,
    caFingerprint: root.fingerprint256,
    user: firstUser,
    password: secret,
    machine,
    ports,
    findings: [...findings, ...openToOthers(folder)],
    announced: () => {
      if (secret !== null) store.remove(marker);
    },
  };
}

/** Missing passwords are made anew unless the owner's settings name another file. */
function needsFirstUser(configFile: string, passwordFile: string, marker: string): boolean {
  if (readIfThere(marker) !== null) return true;
  if (readIfThere(passwordFile) !== null) return false;
  const settings = readIfThere(configFile);
  return settings === null || settings.includes(passwordFile);
}

/** The marker first: a stop before the password was shown must not leave a user that nobody can be. */
async function writeFirstUser(
  store: FileStore,
  marker: string,
  passwordFile: string,
  hash: Promise<string>,
): Promise<void> {
  const encoded = await hash;
  store.write(marker, 'The password of the first user was made and not shown yet; the next start makes another.\n');
  store.write(passwordFile, setUser(readIfThere(passwordFile) ?? '', firstUser, encoded));
}

/** Whoever may read the home may publish and subscribe without saying where and who: `zancudo pub -t x -m y`. */
function writeFirstProfile(store: FileStore, folder: string, profile: Profile): void {
  store.makeFolder(profileFolder(folder));
  sweep(profileFolder(folder));
  store.write(profilePath(folder, defaultProfileName), profileText(profile));
}

function whereWeAre(cafile: string, ports: HomePorts): Profile {
  return { host: 'localhost', port: ports.mqtt, cafile, username: firstUser };
}

/** Without 0/O, 1/l/I: it will be copied from a screen. Four groups of five are 99 bits. */
function newPassword(): string {
  const alphabet = 'abcdefghjkmnpqrstuvwxyz23456789';
  const group = () => Array.from({ length: 5 }, () => alphabet[randomInt(alphabet.length)]).join('');
  return Array.from({ length: 4 }, group).join('-');
}

function configuration(
  folder: string,
  files: { passwordFile: string; accessFile: string; dataFolder: string },
  { pairs: [modern, old], trusted, revoked }: CertificateHome,
  ports: HomePorts,
): string {
  if (!modern || !old) throw new Error('a home has two server certificates');
  return homeConfiguration({ folder, ...files, trusted, revoked, modern, old, ports, user: ownName() });
}

/** Null where the user has no name, as in many containers. */
function ownName(): string | null {
  try {
    return os.userInfo().username;
  } catch {
    return null;
  }
}

function openToOthers(folder: string): Finding[] {
  const mode = fs.statSync(folder).mode & 0o777;
  if (process.platform === 'win32' || (mode & 0o077) === 0) return [];
  return [
    {
      code: 'home.open-to-others',
      severity: 'warning',
      where: folder,
      saw: `other users of this machine may look into it (mode ${mode.toString(8)})`,
      why: 'It holds private keys.',
      remedy: [`chmod -R go= ${folder}`],
    },
  ];
}

/** A line of the settings file ends a path, and blanks around it are lost. */
function usablePath(folder: string): string {
  if (!/[\r\n\0]/.test(folder) && folder.trim() === folder) return folder;
  throw new PkiError({
    code: 'home.unusable-path',
    where: JSON.stringify(folder),
    saw: 'the path has a line break in it, or blanks around it',
    why: 'It could not be written in a settings file.',
    remedy: ['Choose another folder with --home DIR or ZANCUDO_HOME.'],
  });
}

const diskTroubles: Record<string, string> = {
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EROFS: 'the disk is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  ENOTDIR: 'a part of the path is a file, not a folder',
  EEXIST: 'there is a file of that name, not a folder',
};

async function explainingDisk<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { code = '', path: at = folder } = error as NodeJS.ErrnoException;
    const trouble = diskTroubles[code];
    if (trouble === undefined) throw error;
    throw new PkiError({
      code: 'home.disk',
      where: at,
      saw: `${trouble} (${code})`,
      why: `The broker keeps its keys, certificates and settings in ${folder}.`,
      remedy: ['Put that right, or choose another folder with --home DIR or ZANCUDO_HOME.'],
    });
  }
}
