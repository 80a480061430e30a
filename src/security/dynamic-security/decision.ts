/**
 * May they? Dynamic security's answer, first hit first (docs/compat/dynsec.md, 6):
 *
 *   roles of the client ── its groups, each with its roles ── default access ── or somebody else decides
 *   no user name: roles of the anonymous group ──┘
 *   a user name that is not known: somebody else decides
 */
import type { Identity, RuleTried } from '../../broker/ports.ts';
import type { Access, Answer, Authorizer, Reasons } from '../authenticator.ts';
import { type CompiledRole, compile } from './compiled-role.ts';
import type { Acl, AclType, Client, DefaultAccessType, Link, Model } from './model.ts';

/** A role when its turn comes. */
interface Turn {
  rules: CompiledRole;
  /** The group that brings it; null where the client has it itself. */
  group: Link | null;
  priority: number;
}

interface Hit {
  turn: Turn;
  /** Null: the role forbids wildcards as such. */
  acl: Acl | null;
}

const questions: Readonly<Record<Access, { types: readonly AclType[]; fallback: DefaultAccessType }>> = {
  write: { types: ['publishClientSend'], fallback: 'publishClientSend' },
  read: { types: ['publishClientReceive'], fallback: 'publishClientReceive' },
  subscribe: { types: ['subscribeLiteral', 'subscribePattern'], fallback: 'subscribe' },
  unsubscribe: { types: ['unsubscribeLiteral', 'unsubscribePattern'], fallback: 'unsubscribe' },
};

export class DynamicRulesEngine implements Authorizer {
  private readonly model: Model;
  private turns = new WeakMap<Client, readonly Turn[]>();
  private anonymousTurns: readonly Turn[] | null = null;
  /** Of the model when the turns above were found. */
  private generation = -1;

  constructor(model: Model) {
    this.model = model;
  }

  may(access: Access, who: Identity, topic: string): Answer {
    const turns = this.turnsOf(who);
    if (turns === null) return 'defer';
    const hit = firstHit(turns, access, who, topic);
    if (hit !== null) return hit.acl?.allow === true ? 'allow' : 'deny';
    return this.allowedByDefault(access, topic) ? 'allow' : 'defer';
  }

  explain(access: Access, who: Identity, topic: string): Reasons {
    const turns = this.turnsOf(who);
    if (turns === null) {
      return { answer: 'defer', because: `dynamic security knows no client '${who.username ?? ''}'`, tried: [] };
    }
    const hit = firstHit(turns, access, who, topic);
    const tried = triedUpTo(turns, hit);
    if (hit !== null) return { answer: hit.acl?.allow === true ? 'allow' : 'deny', because: becauseOf(hit), tried };
    const { fallback } = questions[access];
    const says = this.allowedByDefault(access, topic) ? 'allows' : 'does not allow';
    const because = `no ACL decides, and defaultACLAccess ${says} ${fallback} here`;
    return { answer: says === 'allows' ? 'allow' : 'defer', because, tried };
  }

  /** Never for the topics by which the broker is administered. */
  private allowedByDefault(access: Access, topic: string): boolean {
    return this.model.defaultAccess[questions[access].fallback] && !topic.startsWith('$CONTROL');
  }

  /** Null when the client is not ours to decide about. */
  private turnsOf({ username }: Identity): readonly Turn[] | null {
    if (this.generation !== this.model.generation) this.forget();
    if (username === null) return (this.anonymousTurns ??= this.turnsOfAnonymous());
    const client = this.model.clients.get(username);
    if (client === undefined) return null;
    let turns = this.turns.get(client);
    if (turns === undefined) this.turns.set(client, (turns = this.turnsOfClient(client)));
    return turns;
  }

  private forget(): void {
    this.generation = this.model.generation;
    this.turns = new WeakMap();
    this.anonymousTurns = null;
  }

  private turnsOfClient({ username, roles }: Client): Turn[] {
    const groups = this.model.groupsOf(username).flatMap(link => this.turnsOfGroup(link));
    return [...this.turnsOfRoles(roles, null), ...groups];
  }

  private turnsOfAnonymous(): Turn[] {
    const name = this.model.anonymousGroup;
    return name === null ? [] : this.turnsOfGroup({ name, priority: 0 });
  }

  private turnsOfGroup(link: Link): Turn[] {
    return this.turnsOfRoles(this.model.groups.get(link.name)?.roles ?? [], link);
  }

  private turnsOfRoles(links: readonly Link[], group: Link | null): Turn[] {
    return links.flatMap(({ name, priority }) => {
      const role = this.model.roles.get(name);
      return role === undefined ? [] : [{ rules: compile(role), group, priority }];
    });
  }
}

function firstHit(turns: readonly Turn[], access: Access, who: Identity, topic: string): Hit | null {
  const { types } = questions[access];
  for (const turn of turns) {
    if (access === 'subscribe' && !turn.rules.role.allowWildcardSubs && /[+#]/.test(topic)) return { turn, acl: null };
    for (const type of types) {
      const acl = turn.rules.first(type, topic, who);
      if (acl !== undefined) return { turn, acl };
    }
  }
  return null;
}

function triedUpTo(turns: readonly Turn[], hit: Hit | null): RuleTried[] {
  const asked = hit === null ? turns : turns.slice(0, turns.indexOf(hit.turn));
  const silent = asked.map((turn): RuleTried => {
    return { where: whereOf(turn), text: 'no ACL of this kind matches', says: 'nothing', decides: false };
  });
  if (hit === null) return silent;
  const says = hit.acl?.allow === true ? 'allow' : 'deny';
  return [...silent, { where: whereOf(hit.turn), text: textOf(hit), says, decides: true }];
}

function whereOf({ rules, group, priority }: Turn): string {
  const role = `role ${rules.role.roleName} (priority ${priority})`;
  return group === null ? role : `${role} of group ${group.name} (priority ${group.priority})`;
}

function textOf({ acl }: Hit): string {
  if (acl === null) return 'allowwildcardsubs: false';
  return `${acl.type} ${acl.allow ? 'allow' : 'deny'} ${acl.topic} (priority ${acl.priority})`;
}

function becauseOf(hit: Hit): string {
  return `"${textOf(hit)}" decides, ${whereOf(hit.turn)}`;
}
