/** Writes docs/reference/sys-topics.md from the table of $SYS topics. */
import { writeFileSync } from 'node:fs';
import { sysTopicsPage } from '../src/observability/mod.ts';

writeFileSync(new URL('../docs/reference/sys-topics.md', import.meta.url), sysTopicsPage());
