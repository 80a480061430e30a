/** Writes docs/man/*.1 from the tables of the commands; what is there and belongs to no command is removed. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { manName, manPage } from '../src/cli/man-page.ts';
import { pages } from '../src/cli/pages.ts';

const folder = new URL('../docs/man/', import.meta.url);

mkdirSync(folder, { recursive: true });
for (const name of readdirSync(folder)) rmSync(new URL(name, folder));
for (const page of pages) writeFileSync(new URL(`${manName(page)}.1`, folder), manPage(page, pages));
