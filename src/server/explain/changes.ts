/**
 * What a planned access file would change: by what clients do on a broker that runs, or, where there is none, by the
 * filters that stand in the two files.
 *
 *   use (who, publish or receive, topic)  ──>  present rules, planned rules  ──>  the same: null    other: gains or loses
 */
import type { AccessChange } from '../../admin/mod.ts';
import type { Identity, ListenerRules, SeenUse } from '../../broker/ports.ts';
import { type AclFile, type ConfiguredAccessControl, plannedAclFile } from '../../security/mod.ts';
import { clientText } from './report.ts';

export interface Plan {
  present: ConfiguredAccessControl;
  planned: ConfiguredAccessControl;
  from: AclFile | null;
  to: AclFile;
}

/** `insteadOf` names the file that is to go, as it stands in the configuration; a text says what is wrong. */
export function planOf(
  present: ConfiguredAccessControl,
  name: string,
  lines: readonly string[],
  insteadOf: string | null,
): Plan | string {
  const read = plannedAclFile(name, lines);
  if (!read.ok) return read.failure.lines.join('\n');
  const files = present.aclFiles();
  const from = insteadOf === null ? (files[0] ?? null) : (files.find(({ path }) => path === insteadOf) ?? null);
  const paths = files.map(({ path }) => path).join(', ');
  if (insteadOf === null && files.length > 1) return `there are several access files, name one with --instead-of: ${paths}`;
  if (insteadOf !== null && from === null) return `no listener has the acl_file ${insteadOf}; there are: ${paths || 'none'}`;
  return { present, planned: present.planned(read.value, from), from, to: read.value };
} // prettier-ignore

/** Null where nothing changes, so that whoever walks the list can stop between two. */
export function* changesOfUses(plan: Plan, uses: Iterable<SeenUse>): Iterable<AccessChange | null> {
  const said = new Set<string>();
  for (const use of uses) {
    const change = changeOf(plan, use, clientText(use.who), use.topicName);
    const key = change === null ? '' : `${change.who} ${change.action} ${change.topic}`;
    yield change === null || said.has(key) ? null : change;
    if (change !== null) said.add(key);
  }
}

/** Everybody that one of the files speaks of, on a topic for every filter that it has for them. */
export async function changesByRules(plan: Plan, listeners: readonly ListenerRules[]): Promise<AccessChange[]> {
  const said = new Set<string>();
  const changes: AccessChange[] = [];
  for (const listener of listeners) {
    for (const { who, text, filter } of casesOf(plan, listener)) {
      await plan.present.prepare(who);
      const topicName = filter.replaceAll('+', 'any').replace(/#$/, 'any');
      for (const access of ['write', 'read'] as const) {
        const change = changeOf(plan, { who, access, topicName }, text, filter);
        const key = `${text} ${access} ${filter}`;
        if (change !== null && !said.has(key)) changes.push(change);
        if (change !== null) said.add(key);
      }
    }
  }
  return changes;
}

interface Case {
  who: Identity;
  text: string;
  filter: string;
}

function* casesOf({ from, to }: Plan, listener: ListenerRules): Iterable<Case> {
  const files = from === null ? [to] : [from, to];
  const patterns = [...new Set(files.flatMap(file => [...file.patternFilters()]))];
  for (const file of files) {
    for (const { username, device, filters } of file.parties()) {
      const clientId = username ?? 'CLIENT';
      const proof = device === null ? {} : { certificate: device.certificate };
      const who: Identity = { clientId, username, listener, address: '', ...proof };
      const text = device !== null ? `device '${device.name}'` : partyText(username);
      const own = patterns.map(filter => filter.replaceAll('%c', clientId).replaceAll('%u', username ?? ''));
      for (const filter of [...filters, ...own]) yield { who, text, filter };
    }
  }
}

const partyText = (username: string | null): string =>
  username === null ? 'a client without a user name' : `user '${username}'`;

function changeOf({ present, planned }: Plan, use: SeenUse, text: string, topic: string): AccessChange | null {
  const { who, access, topicName } = use;
  const now = access === 'read' ? present.mayRead(who, topicName) : present.mayWrite(who, topicName);
  const then = access === 'read' ? planned.mayRead(who, topicName) : planned.mayWrite(who, topicName);
  if (now === then) return null;
  return {
    who: text,
    change: then ? 'gains' : 'loses',
    action: access === 'read' ? 'receive' : 'publish',
    topic,
    because: planned.explain(access, who, topicName).because,
  };
}
