/** The flight recorder: what happened, and to whom. Written by the broker, read by anybody who has its files. */
export { eventNames, type EventRow, eventRows } from './events.ts';
export { eventsPage } from './events-page.ts';
export { FlightRecorder, type RecorderOptions } from './flight-recorder.ts';
export { type LastRun, lastRunOf, linesOf, recordsOf } from './read-record.ts';
export { type EventRecord, type Fact, recordOf } from './record.ts';
export { sentenceOf, spanText, timeText } from './sentence.ts';
export { type Chapter, storyOf } from './story.ts';
