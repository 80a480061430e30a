/** ConfError stops the reading of a configuration: Mosquitto's line first, ours after it. Only load.ts catches it. */
import type { Place } from './settings.ts';

export class ConfError extends Error {
  readonly lines: readonly string[];
  readonly explanation: readonly string[];
  readonly exitCode: number;
  /** Where, when it is not the line being read. */
  readonly place: Place | null;

  constructor(lines: readonly string[], explanation: readonly string[], exitCode = 3, place: Place | null = null) {
    super(lines.join('\n'));
    this.lines = lines;
    this.explanation = explanation;
    this.exitCode = exitCode;
    this.place = place;
  }
}

export function refuse(line: string, ...explanation: string[]): never {
  throw new ConfError([line], explanation);
}

/** The lines that name a place the way Mosquitto does; an included file brings the line of its include_dir along. */
export function foundAt(place: Place): string[] {
  const { file, line, includedFrom } = place;
  if (includedFrom === undefined) return [`Error found at ${file}:${line}.`];
  return [`Error found at '${file}:${line}'.`, ...foundAt(includedFrom)];
}

export function placeText(place: Place): string {
  return `${place.file}:${place.line}`;
}
