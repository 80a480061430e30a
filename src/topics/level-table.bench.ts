/**
 * What a match costs among many filters, and what a filter costs to keep:
 *
 *   node --expose-gc src/topics/level-table.bench.ts [FILTERS]
 *
 * A third of the filters are exact, a third have `+`, a third `#`, as in the scenario `tree` of the load generator.
 */
import { SubscriptionTree } from './subscription-tree.ts';

const filters = Number(process.argv[2] ?? 100_000);
const groups = Math.trunc(filters / 3);
const digits = (group: number): string => String(group).padStart(7, '0');
const nameOf = (group: number): string => `tree/r${String(group % 100).padStart(2, '0')}/d${digits(group)}/v`;

const value = {};
const before = bytesInUse();
const tree = new SubscriptionTree<object>();
for (let group = 0; group < groups; group++) {
  const name = nameOf(group);
  for (const filter of [name, `tree/+/d${digits(group)}/v`, name.replace(/v$/, '#')]) tree.add(filter, value);
}
process.stdout.write(`${((bytesInUse() - before) / tree.size).toFixed(0)} bytes for each of ${tree.size} filters\n`);

const names = Array.from({ length: 200_000 }, (_, i) => nameOf((Math.imul(i, 2_654_435_761) >>> 0) % groups));
let found = 0;
for (let round = 0; round < 5; round++) {
  const start = process.cpuUsage();
  for (const name of names) found += tree.match(name).length;
  const { user } = process.cpuUsage(start);
  process.stdout.write(`${((1000 * user) / names.length).toFixed(0)} ns for a match\n`);
}
process.stdout.write(`${found} found\n`);

function bytesInUse(): number {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
