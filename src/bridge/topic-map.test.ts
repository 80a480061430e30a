import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { matchesFilter } from '../topics/mod.ts';
import type { TopicRule } from './plan.ts';
import { isChosen, TopicMap } from './topic-map.ts';

const rule = (pattern: string, direction: TopicRule['direction'], localPrefix = '', remotePrefix = '', qos: 0 | 1 | 2 = 1): TopicRule => ({ pattern, direction, qos, localPrefix, remotePrefix }); // prettier-ignore

test('prefixes are taken off on one side and put on on the other, without a slash of their own', () => {
  const map = new TopicMap([rule('#', 'both', 'l/', 'r/'), rule('a', 'out', '', 'far/'), rule('b', 'in', 'near/')]);
  assert.equal(map.toRemote('l/x/y')?.topicName, 'r/x/y');
  assert.equal(map.toLocal('r/x')?.topicName, 'l/x');
  assert.equal(map.toRemote('a')?.topicName, 'far/a');
  assert.equal(map.toLocal('b')?.topicName, 'near/b');
  assert.equal(map.toLocal('far/a'), null);
  assert.equal(map.toRemote('near/b'), null);
});

test('an empty pattern maps one topic to one other', () => {
  const map = new TopicMap([rule('', 'both', 'here', 'there')]);
  assert.deepEqual([map.toRemote('here')?.topicName, map.toLocal('there')?.topicName], ['there', 'here']);
  assert.deepEqual(map.outgoing, [{ filter: 'here', qos: 1 }]);
});

test('the first line with a prefix decides the name, however many lines match', () => {
  const map = new TopicMap([rule('a/#', 'out'), rule('#', 'out', '', 'x/'), rule('a/b', 'out', '', 'y/')]);
  assert.deepEqual(map.toRemote('a/b'), { topicName: 'x/a/b', rule: 1 });
});

test('nothing that comes in becomes a request to this broker', () => {
  const map = new TopicMap([rule('#', 'in', '$CONTROL/', 'r/'), rule('v1/#', 'in', '$CA/', 's/')]);
  assert.deepEqual([map.toLocal('r/dynamic-security/v1'), map.toLocal('s/v1/enroll')], [null, null]);
});

const word = fc.constantFrom('a', 'b', 'c');
const name = fc.array(word, { minLength: 1, maxLength: 4 }).map(levels => levels.join('/'));
const prefix = fc.option(name, { nil: '' }).map(text => (text === '' ? '' : `${text}/`));
const anyRule = fc.record({
  pattern: fc.oneof(name, name.map(text => `${text}/#`), fc.constantFrom('#', '+', '+/+', 'a/+')), // prettier-ignore
  direction: fc.constantFrom('out' as const, 'in' as const, 'both' as const),
  qos: fc.constantFrom(0 as const, 1 as const, 2 as const),
  localPrefix: prefix,
  remotePrefix: prefix,
});

test('for any lines and any topic: what goes out by one line of both directions would come in again under its name', () => {
  fc.assert(
    fc.property(anyRule, name, (line, topic) => {
      const both = new TopicMap([{ ...line, direction: 'both' }]);
      const out = both.toRemote(line.localPrefix + topic);
      if (out === null) return !matchesFilter(line.localPrefix + line.pattern, line.localPrefix + topic);
      return both.toLocal(out.topicName)?.topicName === line.localPrefix + topic;
    }),
  );
});

test('for any lines and any topic: of the copies that overlapping filters bring, exactly one goes on, at the highest QoS', () => {
  fc.assert(
    fc.property(fc.array(anyRule, { minLength: 1, maxLength: 5 }), name, (lines, topic) => {
      const { outgoing } = new TopicMap(lines);
      const copies = outgoing.flatMap(({ filter, qos }, i) =>
        matchesFilter(filter, topic) ? [{ id: i + 1, qos }] : [],
      );
      const chosen = copies.filter(({ id }) => isChosen(outgoing, topic, [id]));
      if (copies.length === 0) return true;
      return chosen.length === 1 && chosen[0]!.qos === Math.max(...copies.map(({ qos }) => qos));
    }),
  );
});
