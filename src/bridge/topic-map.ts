/**
 * TopicMap turns names of this broker into names of the other one and back, by the `topic` lines of a bridge.
 *
 *   topic pattern both 1 local/ remote/
 *
 *   here  local/pattern    ──out──>   remote/pattern  there      the prefix is taken off and the other one put on
 *         local/pattern    <──in───   remote/pattern
 *
 * Of several lines that match, the first with a prefix decides the name (docs/compat/runtime.md, 7). Lines that overlap
 * bring a message more than once; `isChosen` says which of its copies goes on, so that it passes once, at the highest
 * QoS that a line gives it.
 */
import { matchesFilter } from '../topics/mod.ts';
import type { TopicRule } from './plan.ts';

export interface Mapped {
  topicName: string;
  /** Index of the rule that decided the name. */
  rule: number;
}

/** One filter to subscribe to; its identifier is its place in the list, from 1. */
export interface MappedFilter {
  filter: string;
  qos: 0 | 1 | 2;
}

/** Names remembered; with more topics than this it is forgotten and begun anew. */
const REMEMBERED_MAX = 2000;

type Side = 'local' | 'remote';

export class TopicMap {
  /** What is subscribed at this broker, and at the other one. */
  readonly outgoing: readonly MappedFilter[];
  readonly incoming: readonly MappedFilter[];
  private readonly rules: readonly TopicRule[];
  private readonly toRemoteKnown = new Map<string, Mapped | null>();
  private readonly toLocalKnown = new Map<string, Mapped | null>();

  constructor(rules: readonly TopicRule[]) {
    this.rules = rules;
    this.outgoing = filtersOf(rules, 'local');
    this.incoming = filtersOf(rules, 'remote');
  }

  /** Null when no line lets it out, or the name that results is none a message may have. */
  toRemote(topicName: string): Mapped | null {
    return remembered(this.toRemoteKnown, topicName, () => this.map(topicName, 'local', 'remote'));
  }

  toLocal(topicName: string): Mapped | null {
    return remembered(this.toLocalKnown, topicName, () => this.map(topicName, 'remote', 'local'));
  }

  /** Filters at the other broker that no line subscribes to: those of lines that only go out. */
  get onlyOut(): string[] {
    const wanted = new Set(this.incoming.map(({ filter }) => filter));
    const filters = this.rules.filter(({ direction }) => direction === 'out').map(rule => filterOf(rule, 'remote'));
    return [...new Set(filters)].filter(filter => !wanted.has(filter));
  }

  private map(topicName: string, from: Side, to: Side): Mapped | null {
    const matching = this.rules.flatMap((rule, index) =>
      passes(rule, from) && matchesFilter(filterOf(rule, from), topicName) ? [{ rule, index }] : [],
    );
    const decides = matching.find(({ rule }) => rule.localPrefix !== '' || rule.remotePrefix !== '') ?? matching[0];
    if (decides === undefined) return null;
    const mapped = prefixOf(decides.rule, to) + topicName.slice(prefixOf(decides.rule, from).length);
    // Requests to the broker itself are not for somebody at the other end of a bridge.
    if (mapped === '' || mapped.startsWith('$CONTROL/') || mapped.startsWith('$CA/')) return null;
    return { topicName: mapped, rule: decides.index };
  }
}

/** `identifiers` are those of the filters that brought this copy; none when the broker did not say. */
export function isChosen(filters: readonly MappedFilter[], topicName: string, identifiers: readonly number[]): boolean {
  if (identifiers.length === 0 || filters.length < 2) return true;
  const brought = identifiers.filter(identifier => matches(filters[identifier - 1], topicName));
  // It waited since the lines were others.
  if (brought.length === 0) return true;
  let best = 0;
  for (let i = 0; i < filters.length; i++) {
    if (!matches(filters[i], topicName)) continue;
    if (best === 0 || filters[i]!.qos > filters[best - 1]!.qos) best = i + 1;
  }
  return brought.includes(best);
}

function matches(mapped: MappedFilter | undefined, topicName: string): boolean {
  return mapped !== undefined && matchesFilter(mapped.filter, topicName);
}

function passes({ direction }: TopicRule, from: Side): boolean {
  return direction === 'both' || direction === (from === 'local' ? 'out' : 'in');
}

function prefixOf(rule: TopicRule, side: Side): string {
  return side === 'local' ? rule.localPrefix : rule.remotePrefix;
}

function filterOf(rule: TopicRule, side: Side): string {
  return prefixOf(rule, side) + rule.pattern;
}

/** Each filter once, at the highest QoS it is written with. */
function filtersOf(rules: readonly TopicRule[], side: Side): MappedFilter[] {
  const found = new Map<string, MappedFilter>();
  for (const rule of rules) {
    if (!passes(rule, side)) continue;
    const filter = filterOf(rule, side);
    const before = found.get(filter);
    if (before === undefined) found.set(filter, { filter, qos: rule.qos });
    else if (before.qos < rule.qos) before.qos = rule.qos;
  }
  return [...found.values()];
}

function remembered<T>(known: Map<string, T>, key: string, find: () => T): T {
  const before = known.get(key);
  if (before !== undefined) return before;
  if (known.size >= REMEMBERED_MAX) known.clear();
  const found = find();
  known.set(key, found);
  return found;
}
