/** Writes docs/reference/command-line.md from the tables of options, signals and exit codes. */
import { writeFileSync } from 'node:fs';
import { brokerPage } from '../src/cli/broker-page.ts';

writeFileSync(new URL('../docs/reference/command-line.md', import.meta.url), brokerPage());
