import { isValidFilter } from './topic-filter.ts';

export interface SharedFilter {
  /** Name of the group. */
  group: string;
  topicFilter: string;
}

/**
 * Takes `$share/group/filter` apart (MQTT 5, 4.8.2). Null for an ordinary filter, 'invalid' for a shared one without
 * a filter, without a group's name or with a wildcard in it. [MQTT-4.8.2-1], [MQTT-4.8.2-2]
 */
export function parseSharedFilter(filter: string): SharedFilter | null | 'invalid' {
  if (filter !== '$share' && !filter.startsWith('$share/')) return null;
  const afterGroup = filter.indexOf('/', 7);
  if (afterGroup === -1) return 'invalid';
  const group = filter.slice(7, afterGroup);
  const topicFilter = filter.slice(afterGroup + 1);
  if (group === '' || /[+#]/.test(group) || !isValidFilter(topicFilter)) return 'invalid';
  return { group, topicFilter };
}
