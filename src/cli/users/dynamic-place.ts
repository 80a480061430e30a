/** Users in the file of dynamic security, which belongs to the broker as long as it runs. */
import fs from 'node:fs';
import net from 'node:net';
import { fingerprintOf, planDynamic, readDynamic, readDynamicRules, type UserSet, writeDynamicRules } from '../../security/users/mod.ts'; // prettier-ignore
import type { Call } from '../ca/subcommand.ts';
import { socketOf } from '../operate/ask-broker.ts';
import { changeFile, createFile } from '../replace-file.ts';
import { ConfigurationError, type Place, type Plan } from './places.ts';

export function dynamicPlace(call: Call, file: string): Place {
  return {
    text: file,
    read: () => Promise.resolve(readDynamic(file)),
    plan: (set, mayReplace) => Promise.resolve(plan(call, file, set, mayReplace)),
    close: async () => {},
  };
}

function plan(call: Call, file: string, set: UserSet, mayReplace: boolean): Plan {
  const isThere = fs.existsSync(file);
  const before = isThere ? readDynamic(file).dynamic! : readDynamicRules('')!;
  if (!isThere && set.dynamic !== null) before.defaultAccess = set.dynamic.defaultAccess;
  const { ready, problems, put } = planDynamic(set, before, mayReplace);
  const there = isThere ? readDynamic(file).users : new Map<string, never>();
  return {
    ready,
    problems,
    remarks: remarksOn(set, isThere),
    there: new Map([...there].map(([name, user]) => [name, fingerprintOf(user)])),
    // Whether its roles say the same was asked when it was planned.
    sameness: user => fingerprintOf({ ...user, superuser: false, rules: [] }),
    async write(users) {
      await refuseWhileRunning(call, file);
      const edit = (text: string): string => {
        const model = readDynamicRules(Buffer.from(text, 'latin1').toString())!;
        if (!isThere) model.defaultAccess = before.defaultAccess;
        put(model, users);
        model.changeIndex++;
        return Buffer.from(writeDynamicRules(model)).toString('latin1');
      };
      if (isThere) changeFile(file, edit);
      else createFile(file, edit(''));
      return ['A broker reads this file when it starts.'];
    },
  };
}

function remarksOn({ users, anonymous, dynamic }: UserSet, isThere: boolean): string[] {
  const above = [...users.values()].filter(({ superuser }) => superuser).map(({ name }) => name);
  return [
    ...(anonymous.length > 0 ? [`${anonymous.length} rules for clients without a user name are left out: give them to the anonymous group (setAnonymousGroup).`] : []),
    ...(above.length > 0 ? [`Superusers may publish and receive everything, and not administer the broker; the role 'super-admin' adds that: ${above.join(', ')}.`] : []),
    ...(dynamic !== null && isThere ? ['The default access (defaultACLAccess) stays as it is there.'] : []),
  ];
} // prettier-ignore

/** It writes the file from what it has in memory, and would undo this. */
async function refuseWhileRunning(call: Call, file: string): Promise<void> {
  const place = await socketOf(call);
  if ('lines' in place || !(await answers(place.socket))) return;
  throw new ConfigurationError([
    `Error: The broker of ${place.of} runs, and ${file} is its own as long as it does: what is written now would be lost.`,
    "  Stop it first, or give it the users while it runs: 'zancudo ctrl dynsec createClient' and its like.",
  ]);
}

function answers(socket: string): Promise<boolean> {
  return new Promise(resolve => {
    const attempt = net.connect(socket);
    attempt.once('connect', () => (attempt.destroy(), resolve(true)));
    attempt.once('error', () => resolve(false));
  });
}
