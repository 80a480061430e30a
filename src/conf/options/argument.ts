/**
 * Argument is what follows an option's name on its line, taken word by word or as a whole.
 *
 *   listener   8883 192.168.5.1      word() -> '8883', word() -> '192.168.5.1', word() -> null
 *   user name with spaces            rest() -> 'name with spaces'
 *
 * Mosquitto separates with U+0020 only. A web page or an editor leaves tabs and non-breaking spaces behind; here they
 * separate too, and `odd` remembers which were met, so that the reader can say so once per file.
 */

/** Blanks that are not U+0020, by name; the key is what a warning shows. */
const oddBlanks: readonly (readonly [RegExp, string])[] = [
  [/\t/, 'a TAB'],
  [/\u00a0/, 'a non-breaking space (U+00A0)'],
  [/\u3000/, 'an ideographic space (U+3000)'],
  [/[\u2000-\u200b\u202f\u205f\ufeff]/, 'an invisible Unicode space'],
];

const blank = /[ \t\u00a0\u2000-\u200b\u202f\u205f\u3000\ufeff]/;
const leadingBlanks = new RegExp(`^${blank.source}+`);
const trailingBlanks = new RegExp(`${blank.source}+$`);
const firstWord = new RegExp(`^[^${blank.source.slice(1)}+`);

export class Argument {
  /** True when the bytes of the line were not UTF-8. */
  readonly malformed: boolean;
  /** Blanks other than U+0020 that were read as one. */
  readonly odd = new Set<string>();
  #text: string;

  constructor(text: string, malformed: boolean) {
    this.#text = text;
    this.malformed = malformed;
  }

  /** The next word, or null at the end. */
  word(): string | null {
    this.#skipBlanks();
    const word = firstWord.exec(this.#text)?.[0];
    if (word === undefined) return null;
    this.#text = this.#text.slice(word.length);
    return word;
  }

  /** Everything that is left, without the blanks at both ends. */
  rest(): string {
    this.#skipBlanks();
    const rest = this.#text.replace(trailingBlanks, '');
    const tail = this.#text.slice(rest.length);
    this.#note(tail.replaceAll('\t', ' '));
    this.#text = '';
    return rest;
  }

  #skipBlanks(): void {
    const blanks = leadingBlanks.exec(this.#text)?.[0] ?? '';
    this.#note(blanks);
    this.#text = this.#text.slice(blanks.length);
  }

  #note(blanks: string): void {
    for (const [pattern, name] of oddBlanks) if (pattern.test(blanks)) this.odd.add(name);
  }
}
