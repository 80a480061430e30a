/** `zancudo users list` and `export`: what is in a place, for people and for other places. */
import { flatRules, hashKind, type User, type UserSet } from '../../security/users/mod.ts';
import type { Call } from '../ca/subcommand.ts';
import { textTable } from '../ca/table.ts';
import { shown } from '../operate/words.ts';
import { ask } from './ask.ts';
import { writeLines } from './lines-place.ts';
import { optionsOf } from './move.ts';
import { placeOf } from './places.ts';

export async function listUsers(call: Call): Promise<number> {
  const set = await readPlace(call);
  if (call.has('--json')) {
    for (const user of set.users.values()) call.say(JSON.stringify(factsOf(set, user)));
    return 0;
  }
  const rows = [...set.users.values()].map(user => {
    const { name, password, superuser, disabled, rules } = factsOf(set, user);
    const what = [superuser ? 'superuser' : '', disabled ? 'disabled' : ''].filter(each => each !== '').join(', ');
    return [shown(name), password, rules === null ? 'by roles' : String(rules), what];
  });
  if (rows.length === 0) call.say('There are no users.');
  else call.say(...textTable(['USER', 'PASSWORD', 'RULES', ''], rows));
  for (const remark of set.remarks) call.warn(`Note: ${shown(remark)}.`);
  return 0;
}

/** `rules` is null where they cannot be counted one by one. */
function factsOf(set: UserSet, user: User) {
  const flat = flatRules(set, user);
  return {
    name: user.name,
    password: hashKind(user.hash),
    superuser: user.superuser,
    disabled: user.disabled,
    rules: 'because' in flat ? null : flat.rules.length,
  };
}

export async function exportUsers(call: Call): Promise<number> {
  const set = await readPlace(call);
  const file = call.words[1] ?? '-';
  for (const remark of set.remarks) call.warn(`Note: ${shown(remark)}.`);
  const mayReplace = call.has('--replace');
  if (await writeLines(call, set, file, mayReplace)) return file === '-' ? 0 : tell(call, set, file);
  if ((await ask(`${file} is there already. Replace it? [y/N] `)) === 'y') {
    await writeLines(call, set, file, true);
    return tell(call, set, file);
  }
  call.warn(`Error: ${file} is there already. --replace writes over it.`);
  return 1;
}

function tell(call: Call, { users }: UserSet, file: string): number {
  call.say(`${users.size} users are in ${file}, with their password hashes; it is for its owner alone.`);
  return 0;
}

async function readPlace(call: Call): Promise<UserSet> {
  const place = await placeOf(call, call.words[0] ?? 'files', optionsOf(call));
  try {
    return await place.read();
  } finally {
    await place.close();
  }
}
