/** The system's users, by name or number: /etc/passwd first, then whatever else the name service knows (LDAP, systemd). */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface SystemUser {
  name: string;
  uid: number;
  gid: number;
}

export function findUser(nameOrUid: string | number): SystemUser | null {
  return findIn(readPasswd(), nameOrUid) ?? findIn(askNameService(nameOrUid), nameOrUid);
}

/** `text` is in the form of /etc/passwd: name:password:uid:gid:... */
export function findIn(text: string, nameOrUid: string | number): SystemUser | null {
  for (const line of text.split('\n')) {
    const [name, , uid, gid] = line.split(':');
    if (name === undefined || uid === undefined || gid === undefined) continue;
    if (nameOrUid === name || nameOrUid === Number(uid)) return { name, uid: Number(uid), gid: Number(gid) };
  }
  return null;
}

function readPasswd(): string {
  try {
    return readFileSync('/etc/passwd', 'utf8');
  } catch {
    return '';
  }
}

function askNameService(nameOrUid: string | number): string {
  try {
    return execFileSync('getent', ['passwd', '--', String(nameOrUid)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 5000,
    });
  } catch {
    // No such user, or no getent on this system.
    return '';
  }
}
