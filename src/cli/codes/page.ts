import type { Code } from '../../base/mod.ts';

/** What a code means and whence it usually comes; what to do, empty where nothing is wrong. */
export type Page = readonly [means: string, remedy: string];

/** A chapter of the pages: the codes before the dot belong together. */
export type Chapter = Partial<Readonly<Record<Code, Page>>>;
