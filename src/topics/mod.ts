/** Names, filters and trees of topics. Pure: no packets, no clients. */
export { isValidFilter, isValidTopicName, LEVELS_MAX, matchesFilter } from './topic-filter.ts';
export { parseSharedFilter, type SharedFilter } from './share-name.ts';
export { RetainedTree } from './retained-tree.ts';
export { SubscriptionTree } from './subscription-tree.ts';
