import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { TextIndex } from './text-index.ts';

class Words extends TextIndex {
  readonly words: string[] = [''];

  find(within: string, from: number, to: number): number {
    return this.indexed(within, from, to);
  }

  put(word: string): void {
    this.index(this.words.push(word) - 1);
  }

  drop(number: number): void {
    this.unindex(number);
  }

  protected text(number: number): string {
    return this.words[number]!;
  }
}

// 'max': the usual lists of ten words would never let the index grow.
const words = fc.array(fc.string({ maxLength: 4, size: 'max', unit: fc.constantFrom('a', 'b', 'ü', '😀') }), {
  maxLength: 200,
  size: 'max',
});

test('an index finds each text that is in it, few or many, and none that is not or was taken out', () => {
  fc.assert(
    fc.property(words, steps => {
      const index = new Words();
      const model = new Map<string, number>();
      for (const word of steps) {
        const number = index.find(`<${word}>`, 1, 1 + word.length);
        assert.equal(number, model.get(word) ?? 0);
        if (number === 0) {
          index.put(word);
          model.set(word, index.words.length - 1);
        } else {
          index.drop(number);
          model.delete(word);
        }
      }
      for (const word of steps) assert.equal(index.find(word, 0, word.length), model.get(word) ?? 0);
    }),
  );
});
