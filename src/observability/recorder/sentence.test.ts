import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventNames, eventRows } from './events.ts';
import { sentenceOf, spanText } from './sentence.ts';

test('a part in brackets is told only when its facts are known', () => {
  const facts = { reason: 'it said goodbye (DISCONNECT)' };
  assert.equal(sentenceOf({ at: 0, event: 'client.left', facts }), 'left: it said goodbye (DISCONNECT)');
  const longer = { ...facts, seconds: 11_105, explanation: 'as it should' };
  assert.equal(
    sentenceOf({ at: 0, event: 'client.left', facts: longer }),
    'left after 3 h 5 min: it said goodbye (DISCONNECT); as it should',
  );
});

test('a topic that looks like a part of a sentence is told as it is', () => {
  const facts = { client: 'mallory', topic: '[{client}]{topic}' };
  assert.equal(sentenceOf({ at: 0, event: 'will.published', facts }), 'its will was published on [{client}]{topic}');
});

test('an event of a newer broker is told, too', () => {
  assert.equal(sentenceOf({ at: 0, event: 'moon.full', facts: { phase: 1 } }), 'moon.full {"phase":1}');
});

test('no sentence has a brace or bracket left, whatever is known', () => {
  for (const event of eventNames) {
    const known = [...eventRows[event].tells.matchAll(/\{(\w+)/g)].map(([, field]) => [field, 7]);
    for (const facts of [{}, Object.fromEntries(known) as Record<string, number>]) {
      assert.doesNotMatch(sentenceOf({ at: 0, event, facts }), /[{}[\]|]|undefined/, event);
    }
  }
});

test('spans are told in their two largest units', () => {
  assert.deepEqual([0, 59, 61, 3600, 90_061].map(spanText), ['less than a second', '59 s', '1 min 1 s', '1 h', '1 d 1 h']);
}); // prettier-ignore
