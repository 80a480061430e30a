/** Writes docs/reference/metrics.md from the table of metrics. */
import { writeFileSync } from 'node:fs';
import { metricsPage } from '../src/observability/mod.ts';

writeFileSync(new URL('../docs/reference/metrics.md', import.meta.url), metricsPage());
