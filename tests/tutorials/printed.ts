/** A tutorial's own words: the named blocks of the .md file beside the test, byte for byte. */
import { readFileSync } from 'node:fs';

/** Blocks by name; a block is what stands between its fences, with the final line end. */
export function printed(file: string): (name: string) => string {
  const text = readFileSync(new URL(file, import.meta.url), 'utf8');
  const blocks = new Map<string, string>();
  for (const [, name = '', body = ''] of text.matchAll(/^```\w+ (\S+)\n(.*?)^```$/gms)) blocks.set(name, body);
  return name => {
    const block = blocks.get(name);
    if (block === undefined) throw new Error(`${file} has no block ${name}`);
    return block;
  };
}

/** One command line without its `$ ` prompt. */
export const commandLine = (block: string): string => block.trim().replace(/^\$ /, '');

export const nonBreakingSpace = '\u00a0';
