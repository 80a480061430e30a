/** From what somebody has at hand to the codes it may be about: a code, a line of the log, a few words. */
import type { Code } from '../../base/mod.ts';
import { codePages } from './mod.ts';

const shownMax = 5;
const codeForm = /[a-z]+\.[a-z0-9-]+/g;

/** The codes that stand in the text; if none does, those whose page shares most words with it. */
export function codesFor(text: string): Code[] {
  const named = [...text.matchAll(codeForm)].map(([word]) => word).filter(isCode);
  if (named.length > 0) return [...new Set(named)];
  const asked = wordsOf(text);
  const scored = (Object.keys(codePages) as Code[])
    .map(code => ({ code, score: scoreOf(asked, code) }))
    .filter(({ score }) => score > 0)
    .sort((one, other) => other.score - one.score);
  const best = scored[0]?.score ?? 0;
  return scored.filter(({ score }) => score * 2 >= best).slice(0, shownMax).map(({ code }) => code);
} // prettier-ignore

function isCode(text: string): text is Code {
  return Object.hasOwn(codePages, text);
}

/** Rare words say more than common ones, and a word of the code itself more than one of its page. */
function scoreOf(asked: ReadonlySet<string>, code: Code): number {
  const { inCode, inPage } = pageWords.get(code)!;
  return [...asked].reduce(
    (sum, word) => sum + ((inCode.has(word) ? 2 : 0) + (inPage.has(word) ? 1 : 0)) * rarity(word),
    0,
  );
}

const pageWords = new Map(
  (Object.keys(codePages) as Code[]).map(code => {
    return [code, { inCode: wordsOf(code), inPage: wordsOf(codePages[code].join(' ')) }];
  }),
);

function rarity(word: string): number {
  const pages = [...pageWords.values()].filter(({ inCode, inPage }) => inCode.has(word) || inPage.has(word)).length;
  return pages === 0 ? 0 : Math.log(pageWords.size / pages);
}

/** Short words are in every sentence. */
function wordsOf(text: string): ReadonlySet<string> {
  return new Set(text.toLowerCase().match(/[a-z_]{4,}/g));
}
