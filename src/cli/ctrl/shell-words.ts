/** A line of the shell as words: blanks part them, quotes of either kind keep blanks inside. */
export function wordsOf(line: string): string[] {
  const words: string[] = [];
  // A quote that is never closed reaches to the end.
  for (const [, double, single, plain] of line.matchAll(/"([^"]*)(?:"|$)|'([^']*)(?:'|$)|([^\s"']\S*)/g)) {
    words.push(double ?? single ?? plain ?? '');
  }
  return words;
}

/** For completion: a word that would not come back as one word is quoted. */
export function quoted(word: string): string {
  if (!/[\s"']/.test(word) && word !== '') return word;
  return word.includes('"') ? `'${word}'` : `"${word}"`;
}
