import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import {
  isValidFilter,
  isValidTopicName,
  matchesFilter,
  parseSharedFilter,
  RetainedTree,
  SubscriptionTree,
} from './mod.ts';

/** The specification's rules word by word, level by level, as slowly as you like. */
function obviouslyMatches(filter: string, name: string): boolean {
  const f = filter.split('/');
  const n = name.split('/');
  if (name.startsWith('$') && (f[0] === '+' || f[0] === '#')) return false;
  for (let i = 0; i < f.length; i++) {
    if (f[i] === '#') return n.length >= i;
    if (i >= n.length) return false;
    if (f[i] !== '+' && f[i] !== n[i]) return false;
  }
  return f.length === n.length;
}

const level = fc.constantFrom('a', 'b', '', '$x', 'ab');
const topicName = fc
  .array(level, { minLength: 1, maxLength: 4 })
  .map(l => l.join('/'))
  .filter(isValidTopicName);
const topicFilter = fc
  .tuple(fc.array(fc.oneof(level, fc.constant('+')), { maxLength: 3 }), fc.constantFrom('a', 'b', '+', '#', ''))
  .map(([start, last]) => [...start, last].join('/'))
  .filter(isValidFilter);

test('matchesFilter agrees with the obvious model', () => {
  fc.assert(
    fc.property(topicFilter, topicName, (filter, name) => {
      assert.equal(matchesFilter(filter, name), obviouslyMatches(filter, name), `${filter} | ${name}`);
    }),
    { numRuns: 5000 },
  );
});

test('the subscription tree finds exactly what the obvious model finds, while filters come and go', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(topicFilter, fc.boolean()), { maxLength: 20 }), topicName, (steps, name) => {
      const tree = new SubscriptionTree<string>();
      const model: string[] = [];
      for (const [filter, add] of steps) {
        const at = model.indexOf(filter);
        if (add && at === -1) {
          tree.add(filter, filter);
          model.push(filter);
        }
        if (!add) assert.equal(tree.remove(filter, filter), at !== -1);
        if (!add && at !== -1) model.splice(at, 1);
      }
      assert.equal(tree.size, model.length);
      const expected = model.filter(filter => obviouslyMatches(filter, name));
      assert.deepEqual(tree.match(name).sort(), expected.sort());
      for (const filter of model) tree.remove(filter, filter);
      assert.deepEqual([...tree.filters()], []);
    }),
    { numRuns: 3000 },
  );
});

test('the retained tree finds exactly what the obvious model finds', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(topicName, { maxLength: 20 }),
      fc.uniqueArray(topicName),
      topicFilter,
      (names, gone, filter) => {
        const tree = new RetainedTree<string>();
        for (const name of names) tree.set(name, name);
        for (const name of gone) {
          assert.equal(tree.delete(name), names.includes(name) ? name : undefined);
        }
        const left = names.filter(name => !gone.includes(name));
        assert.equal(tree.size, left.length);
        assert.deepEqual(tree.match(filter).sort(), left.filter(name => obviouslyMatches(filter, name)).sort());
        assert.deepEqual([...tree.values()].sort(), left.sort());
        for (const name of left) assert.equal(tree.get(name), name);
      },
    ),
    { numRuns: 3000 },
  );
});

test('matches are visited deepest first, literal before + before #, shared after ordinary', () => {
  const tree = new SubscriptionTree<string>();
  for (const f of ['#', 'a/#', '+/b', 'a/+', 'a/b', 'a/b/#']) tree.add(f, f);
  tree.addShared('a/b', 'shared a/b');
  assert.deepEqual(tree.match('a/b'), ['a/b/#', 'a/b', 'shared a/b', 'a/+', 'a/#', '+/b', '#']);
});

test('a subscriber to sport/# also receives sport itself (MQTT 5, 4.7.1.2)', () => {
  assert.equal(matchesFilter('sport/#', 'sport'), true);
  assert.equal(matchesFilter('sport/+', 'sport'), false);
  assert.equal(matchesFilter('+', '/finance'), false);
  assert.equal(matchesFilter('/+', '/finance'), true);
});

test('wildcards stand alone in their level, # only in the last', () => {
  for (const good of ['#', '+', 'a/#', '+/a/#', '/', '//', 'a//b', '+/+', '/#']) assert.ok(isValidFilter(good), good);
  for (const bad of ['', 'a#', '#/a', 'a+', '+a', 'a/#/b', '##', 'a/b#', '/'.repeat(201)])
    assert.ok(!isValidFilter(bad), bad);
  assert.ok(isValidFilter('/'.repeat(200)));
  for (const bad of ['', '+', 'a/#', '/'.repeat(201)]) assert.ok(!isValidTopicName(bad), bad);
});

test('a shared filter needs a group without wildcards and a filter', () => {
  assert.deepEqual(parseSharedFilter('$share/g/a/#'), { group: 'g', topicFilter: 'a/#' });
  assert.equal(parseSharedFilter('a/b'), null);
  assert.equal(parseSharedFilter('$shared/b'), null);
  for (const bad of [
    '$share',
    '$share/',
    '$share//a',
    '$share/g',
    '$share/g/',
    '$share/+/a',
    '$share/g#/a',
    '$share/g/a#',
  ]) {
    assert.equal(parseSharedFilter(bad), 'invalid', bad);
  }
});

test('a level may have more children than a call can take arguments', () => {
  const tree = new RetainedTree<number>();
  for (let i = 0; i < 200_000; i++) tree.set(`devices/${i}`, i);
  let count = 0;
  for (const value of tree.values()) count += Number(value >= 0);
  assert.equal(count, 200_000);
});
