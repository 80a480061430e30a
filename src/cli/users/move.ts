/**
 * `zancudo users import FROM INTO`: looked at as a whole, told, and only then written, all of it or nothing.
 *
 *   read FROM ── adapt to INTO ── who cannot go?  ── who is there already? ── write
 *                                 stop, or          stop, ask, --keep or
 *                                 --leave-out       --replace
 */
import type { Adapted } from '../../security/users/mod.ts';
import { type Call, UsageError } from '../ca/subcommand.ts';
import { shown } from '../operate/words.ts';
import { ask } from './ask.ts';
import { type Place, placeOf, type PlaceOptions, type Plan } from './places.ts';

type Users = Adapted['ready'];

interface Sorted {
  fresh: Users;
  same: Users;
  different: Users;
}

const NAMES_SHOWN_MAX = 10;
const PROBLEMS_SHOWN_MAX = 1000;

export async function importUsers(call: Call): Promise<number> {
  if (call.has('--keep') && call.has('--replace')) throw new UsageError('--keep and --replace exclude each other.');
  const options = optionsOf(call);
  const [from, into] = call.words as [string, string];
  // The options speak of the place that is written.
  const tables = into.startsWith('backend:') ? { usersTable: null, rulesTable: null } : {};
  const reading = { create: false, isDry: false, account: null, accountPasswordFile: null, ...tables };
  const source = await placeOf(call, from, { ...options, ...reading });
  try {
    const set = await source.read();
    for (const remark of set.remarks) call.warn(`Note: ${shown(remark)}.`);
    const target = await placeOf(call, into, options);
    try {
      const plan = await target.plan(set, call.has('--replace'));
      return await carryOut(call, source, target, plan);
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

export function optionsOf(call: Call): PlaceOptions {
  return {
    usersTable: call.value('--users-table'),
    rulesTable: call.value('--rules-table'),
    create: call.has('--create'),
    isDry: call.has('--dry-run'),
    account: call.value('--account'),
    accountPasswordFile: call.value('--account-password-file'),
  };
}

async function carryOut(call: Call, source: Place, target: Place, plan: Plan): Promise<number> {
  const isDry = call.has('--dry-run');
  for (const remark of plan.remarks) call.warn(`Note: ${remark}`);
  tellProblems(call, plan);
  const sorted = sortOut(plan);
  if (plan.problems.length > 0 && !call.has('--leave-out') && !isDry) {
    call.warn('No user was written. --leave-out takes all others.');
    return 1;
  }
  const going = await whoGoes(call, sorted, isDry);
  if (going === null) return 1;
  if (isDry) {
    call.say(`Would go from ${source.text} into ${target.text}: ${tally(sorted)}.`);
    return plan.problems.length > 0 ? 1 : 0;
  }
  const hints = going.length === 0 ? [] : await plan.write(going);
  call.say(`${countOf(going.length)} went from ${source.text} into ${target.text}: ${tally(sorted, call)}.`);
  if (hints.length > 0) call.say(...hints);
  return 0;
}

function tellProblems(call: Call, { problems }: Plan): void {
  for (const { user, because } of problems.slice(0, PROBLEMS_SHOWN_MAX)) {
    call.warn(`Cannot go: ${shown(user)}: ${shown(because)}.`);
  }
  if (problems.length > PROBLEMS_SHOWN_MAX) call.warn(`... and ${problems.length - PROBLEMS_SHOWN_MAX} more.`);
}

function sortOut({ ready, there, sameness }: Plan): Sorted {
  const sorted: Sorted = { fresh: [], same: [], different: [] };
  for (const user of ready) {
    const before = there.get(user.name);
    const list = before === undefined ? 'fresh' : before === sameness(user) ? 'same' : 'different';
    sorted[list].push(user);
  }
  return sorted;
}

/** Null when it was not said what is to become of those who are there. */
async function whoGoes(call: Call, { fresh, different }: Sorted, isDry: boolean): Promise<Users | null> {
  if (different.length === 0 || call.has('--keep') || isDry) return fresh;
  if (call.has('--replace')) return [...fresh, ...different];
  const names = different.slice(0, NAMES_SHOWN_MAX).map(({ name }) => shown(name));
  const more = different.length > names.length ? ` and ${different.length - names.length} more` : '';
  call.warn(`There already, and not the same: ${names.join(', ')}${more}.`);
  const answer = await ask('Replace them, keep them as they are, or stop? [r/k/S] ');
  if (answer === 'r') return [...fresh, ...different];
  if (answer === 'k') return fresh;
  call.warn('No user was written. --replace puts the new ones in their place, --keep leaves them as they are.');
  return null;
}

function tally({ fresh, same, different }: Sorted, call?: Call): string {
  const kept = call?.has('--keep') === true ? 'kept as they were' : call === undefined ? 'there already and not the same' : 'replaced'; // prettier-ignore
  return [
    `${fresh.length} new`,
    ...(different.length > 0 ? [`${different.length} ${kept}`] : []),
    ...(same.length > 0 ? [`${same.length} there already just so`] : []),
  ].join(', ');
}

const countOf = (count: number): string => `${count} ${count === 1 ? 'user' : 'users'}`;
