/** Writes docs/reference/errors.md from the table of codes. */
import { writeFileSync } from 'node:fs';
import { errorsPage } from '../src/cli/codes/errors-page.ts';

writeFileSync(new URL('../docs/reference/errors.md', import.meta.url), errorsPage());
