/** npm run bench:page writes docs/performance.md and the plots it shows from bench/results; no figure is typed in. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './brokers.ts';
import { performancePage } from './page-text.ts';
import { allResults } from './results.ts';

const { text, plots } = performancePage(allResults());
const images = join(root, 'docs/img');
mkdirSync(images, { recursive: true });
for (const [name, plot] of plots) writeFileSync(join(images, name), plot);
writeFileSync(join(root, 'docs/performance.md'), text);
process.stdout.write(`docs/performance.md and ${plots.size} plots are written.\n`);
