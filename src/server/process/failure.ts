import type { LogCode } from '../../base/mod.ts';

/** A step of the start that did not work. Lines are Mosquitto's first, then ours (indented by two blanks). */
export interface ProcessFailure {
  ok: false;
  lines: string[];
  exitCode: number;
  code?: LogCode;
}
