/**
 * Started as root, the broker becomes somebody else before it opens any file of the configuration:
 *
 *   option `user` ──► user and group ──► PUID, PGID replace one each, 0 leaves it ──► groups, group, user
 *
 * Started as anybody else, nothing happens here.
 */
import { exitCodes } from './exit-codes.ts';
import type { ProcessFailure } from './failure.ts';
import { findUser, type SystemUser } from './user-database.ts';

/** The calls that change a process, so that tests can watch them. */
export interface Privileges {
  isRoot(): boolean;
  findUser(nameOrUid: string | number): SystemUser | null;
  setGroupsOf(userName: string, gid: number): void;
  setGroups(gids: number[]): void;
  setGroup(gid: number): void;
  setUser(uid: number): void;
}

export interface PrivilegeRequest {
  /** Option `user`. */
  user: string;
  environment: Readonly<Record<string, string | undefined>>;
  privileges?: Privileges;
}

export interface PrivilegesDropped {
  ok: true;
  messages: { as: 'information' | 'warning'; text: string }[];
}

/** Documented by Node, missing in its types. */
const { initgroups } = process as { initgroups?: (userName: string, gid: number) => void };

const ofThisProcess: Privileges = {
  isRoot: () => process.geteuid?.() === 0,
  findUser,
  setGroupsOf: (userName, gid) => initgroups?.(userName, gid),
  setGroups: gids => process.setgroups?.(gids),
  setGroup: gid => process.setgid?.(gid),
  setUser: uid => process.setuid?.(uid),
};

/** The user that Mosquitto's packages make; where it does not exist, nobody stands in for it. */
const usualUser = 'mosquitto';

export function dropPrivileges(request: PrivilegeRequest): PrivilegesDropped | ProcessFailure {
  const { environment, privileges = ofThisProcess } = request;
  if (!privileges.isRoot() || environment['SNAP_NAME'] === 'mosquitto') return { ok: true, messages: [] };
  const puid = readId('PUID', environment['PUID']);
  if (typeof puid === 'string') return refused([puid]);
  const pgid = readId('PGID', environment['PGID']);
  if (typeof pgid === 'string') return refused([pgid]);
  const user = puid === null ? findConfigured(request.user, privileges) : findNumbered(puid, privileges);
  if (user === null) return refused(unknownUser(request.user));
  try {
    become({ ...user, gid: pgid ?? user.gid }, privileges);
  } catch (error) {
    return refused([`Error: Unable to drop privileges to '${user.name}': ${(error as Error).message}.`]);
  }
  return { ok: true, messages: [told(user)] };
}

/** UMASK_SET, an octal number, counts for root and for everybody else. */
export function applyUmask(
  environment: Readonly<Record<string, string | undefined>>,
  setUmask: (mask: number) => void = mask => void process.umask(mask),
): { ok: true } | ProcessFailure {
  const text = environment['UMASK_SET'];
  if (text === undefined) return { ok: true };
  if (!/^[0-7]+$/.test(text)) return refused(['Error: UMASK_SET environment variable not a valid octal number.']);
  const mask = Number.parseInt(text, 8);
  if (mask > 0o777) return refused(['Error: UMASK_SET environment variable out of range.']);
  setUmask(mask);
  return { ok: true };
}

/** Null when it is not set, a line when it is no id. */
function readId(variable: string, text: string | undefined): number | null | string {
  if (text === undefined) return null;
  if (/^-\d+$/.test(text)) return `Error: ${variable} must not be negative`;
  const id = Number(text);
  return /^\d+$/.test(text) && id < 2 ** 32 - 1 ? id : `Error: ${variable} not a valid ID '${text}'`;
}

function findConfigured(name: string, privileges: Privileges): SystemUser | null {
  return privileges.findUser(name) ?? (name === usualUser ? privileges.findUser('nobody') : null);
}

/** Containers pass ids that no user here has; the group is then the one with the same number. */
function findNumbered(uid: number, privileges: Privileges): SystemUser {
  return privileges.findUser(uid) ?? { name: String(uid), uid, gid: uid };
}

/** Groups first: the right to change them goes with the user. */
function become(user: SystemUser, privileges: Privileges): void {
  if (user.uid === 0 && user.gid === 0) return;
  if (privileges.findUser(user.name) === null) privileges.setGroups(user.gid === 0 ? [] : [user.gid]);
  else if (user.uid !== 0) privileges.setGroupsOf(user.name, user.gid);
  if (user.gid !== 0) privileges.setGroup(user.gid);
  if (user.uid !== 0) privileges.setUser(user.uid);
}

function told(user: SystemUser): PrivilegesDropped['messages'][number] {
  if (user.uid !== 0) return { as: 'information', text: `Info: running zancudo as user: ${user.name}.` };
  return { as: 'warning', text: 'Warning: zancudo should not be run as root/administrator.' };
}

function unknownUser(name: string): string[] {
  return [
    `Error: Unable to drop privileges to '${name}' because this user does not exist.`,
    `  Make the user ('adduser --system --group ${name}'), or write the name of an existing one after 'user'.`,
  ];
}

function refused(lines: string[]): ProcessFailure {
  return { ok: false, lines, exitCode: exitCodes.configuration, code: 'broker.no-such-user' };
}
