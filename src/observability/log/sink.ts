/** Where lines go. A sink never throws, never waits, and bounds what it holds. */
import type { LogClass } from '../../broker/ports.ts';

export interface Sink {
  /** The line has no newline yet. */
  write(line: string, as: LogClass): void;
  /** Called once per turn of the event loop in which something was written. */
  flush(): void;
  /** The process ends, or the sink is no longer wanted: hand over what is waiting and let go. */
  close(): void;
}

export const sinkBounds = {
  /** Above this a sink takes no more lines; the dropped ones are counted, and one line says how many. */
  pendingBytesMax: 1_048_576,
  /** Above this a sink does not wait for the end of the turn. */
  flushAtBytes: 65_536,
  /** Lines kept for log topics within one turn. */
  topicLinesMax: 1000,
  /** How long the end of the process waits for a reader that does not read. */
  exitWaitMilliseconds: 200,
  /** How soon a reader that was too slow is tried again. */
  retryMilliseconds: 20,
};

export function droppedLinesText(count: number, to: string): string {
  const lines = count === 1 ? '1 log line was' : `${count} log lines were`;
  return `Warning: ${lines} dropped here: ${to} did not take them.`;
}
