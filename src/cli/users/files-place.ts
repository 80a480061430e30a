/** Users in a password file and an access file. Rules are written first: a rule without its password lets nobody in. */
import fs from 'node:fs';
import { adapt, filesManner, fingerprintOf, putPasswords, putRules, readFiles, type User, type UserSet } from '../../security/users/mod.ts'; // prettier-ignore
import type { Call } from '../ca/subcommand.ts';
import { changeFile, createFile } from '../replace-file.ts';
import type { Place, Plan } from './places.ts';

export interface FilePair {
  passwords: string;
  rules: string | null;
}

export function filesPlace(call: Call, pair: FilePair): Place {
  const { passwords, rules } = pair;
  return {
    text: rules === null ? passwords : `${passwords} and ${rules}`,
    read: () => Promise.resolve(readFiles(passwords, rules)),
    plan: set => Promise.resolve(planFiles(call, pair, set)),
    close: async () => {},
  };
}

function planFiles(call: Call, { passwords, rules }: FilePair, set: UserSet): Plan {
  const there = readFiles(ifThere(passwords), ifThere(rules));
  const isNew = rules === null || isEmpty(rules);
  const adapted = adapt(set, filesManner(isNew && rules !== null));
  const withPatterns = isNew && set.dynamic === null;
  return {
    ...adapted,
    remarks: remarksOn(set, rules, isNew),
    there: new Map([...there.users].map(([name, user]) => [name, fingerprintOf(asRead(user))])),
    sameness: user => fingerprintOf(asRead(user)),
    write: users => {
      const everybody = withPatterns ? set.everybody : [];
      const anonymous = withPatterns ? set.anonymous : [];
      if (rules !== null) change(call, rules, text => putRules(text, { users, everybody, anonymous }));
      change(call, passwords, text => putPasswords(text, users));
      return Promise.resolve(["A broker that runs with these files takes them after 'zancudo reload'."]);
    },
  };
}

/** Files do not tell a superuser from one who may everything. */
const asRead = (user: User): User => ({
  ...user,
  superuser: false,
  rules: user.rules.map(({ topic, bits }) => ({ topic, bits })),
});

const ifThere = (file: string | null): string | null => (file !== null && fs.existsSync(file) ? file : null);

const isEmpty = (file: string): boolean =>
  !fs.existsSync(file) || !/^[ \t]*(?:user|topic|pattern)\b/m.test(fs.readFileSync(file, 'latin1'));

function remarksOn({ users, everybody, anonymous, dynamic }: UserSet, rules: string | null, isNew: boolean): string[] {
  const ruled = dynamic !== null || everybody.length > 0 || [...users.values()].some(user => user.rules.length > 0);
  if (rules === null && ruled) return ['Rules are left out: no access file is named (files:PASSWORDS,RULES).'];
  return anonymous.length > 0 && !isNew
    ? [`${anonymous.length} rules for clients without a user name are left out: ${rules ?? ''} has lines already.`]
    : [];
}

function change(call: Call, file: string, edit: (text: string) => string): void {
  if (!fs.existsSync(file)) return createFile(file, edit(''));
  const replaced = changeFile(file, edit);
  if (replaced?.isWorldReadable === true) {
    call.warn(`Warning: Every user of this machine can read ${file}. To change that: chmod o-rwx ${file}`);
  }
}
