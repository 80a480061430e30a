/** A line of the shell as words: blanks part them, quotes of either kind keep blanks inside. */
export function wordsOf(line: string): string[] {
  const words: string[] = [];
  // A quote that is never closed reaches to the end.
  for (const [, double, single, plain] of line.matchAll(/"([^"]*)(?:"|$)|'([^']*)(?:'|$)|([^\s"']\S*)/g)) {
    words.push(double ?? single ?? plain ?? '');
  }
  return words;
}

/** Where the word begins that is being typed at the end of the line. */
export function lastWordStart(line: string): number {
  let start = 0;
  let quote: string | null = null;
  for (let at = 0; at < line.length; at++) {
    const letter = line.charAt(at);
    if (quote !== null) {
      if (letter === quote) quote = null;
    } else if (/\s/.test(letter)) start = at + 1;
    else if (at === start && /["']/.test(letter)) quote = letter;
  }
  return start;
}

/** For completion: a word that would not come back as one word is quoted. */
export function quoted(word: string): string {
  if (!/[\s"']/.test(word) && word !== '') return word;
  return word.includes('"') ? `'${word}'` : `"${word}"`;
}
