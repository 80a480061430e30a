/** Writes the reference pages that are made from tables: node scripts/reference.ts */
import { mkdirSync, writeFileSync } from 'node:fs';
import { optionsReference } from '../src/conf/mod.ts';

const pages = [{ path: 'options.md', text: optionsReference() }];

const directory = new URL('../docs/reference/', import.meta.url);
mkdirSync(directory, { recursive: true });
for (const { path, text } of pages) writeFileSync(new URL(path, directory), text);
