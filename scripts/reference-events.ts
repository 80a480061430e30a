/** Writes docs/reference/events.md from the table of the flight recorder's events. */
import { writeFileSync } from 'node:fs';
import { eventsPage } from '../src/observability/recorder/mod.ts';

writeFileSync(new URL('../docs/reference/events.md', import.meta.url), eventsPage());
