import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TopicCache } from './topic-cache.ts';

/** Names that have a place, and all entries that stand for them now. */
function known(cache: TopicCache): Set<string> {
  return new Set([...cache.entries()].map(entry => entry.name));
}

function comeAgainAndAgain(cache: TopicCache, topics: number, rounds: number, nameOf: (i: number) => string): void {
  for (let round = 0; round < rounds; round++) for (let i = 0; i < topics; i++) cache.findText(nameOf(i));
}

test('a topic that comes twice is one entry from then on, and its route counts once', () => {
  const cache = new TopicCache();
  cache.findText('a/b');
  const entry = cache.findText('a/b')!;
  assert.equal(cache.findText('a/b'), entry);
  assert.equal(entry.kept, true);
  assert.deepEqual([...known(cache)], ['a/b']);
});

test('topics that come again and again get the places they need', () => {
  const cache = new TopicCache();
  comeAgainAndAgain(cache, 40_000, 40, i => `plant/${i % 100}/device-${i}`);
  assert.ok(known(cache).size > 36_000, `${known(cache).size} of 40,000 are known`);
  for (const entry of cache.entries()) assert.equal(cache.findText(entry.name), entry);
});

test('however many topics there are, and however long, what is remembered is bounded', () => {
  const cache = new TopicCache();
  comeAgainAndAgain(cache, 1_000_000, 1, i => `once/${i}`);
  assert.ok(known(cache).size < 20_000, 'topics that come once are not kept');
  for (let i = 0; i < 300_000; i++) {
    const name = `twice/${i}`;
    cache.findText(name);
    cache.findText(name);
  }
  assert.ok(known(cache).size <= 131_072);
  const long = 'x'.repeat(1000);
  for (let i = 0; i < 40_000; i++) {
    cache.findText(long + i);
    cache.findText(long + i);
  }
  assert.ok([...cache.entries()].reduce((sum, { name }) => sum + name.length, 0) <= 16_777_216);
});
