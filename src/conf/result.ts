/** What reading a configuration ends in: settings, or one failure. Expected outcomes are values, never exceptions. */
import type { Settings } from './settings.ts';

/** A line for the log; the caller decides when and where it is printed. */
export interface ConfMessage {
  as: 'error' | 'warning' | 'notice' | 'information';
  text: string;
}

export interface ConfFailure {
  /** Mosquitto's own lines, `Error found at <file>:<line>.` included. */
  lines: string[];
  /** Ours: what was meant, and what to do. */
  explanation: string[];
  /** 3 for everything a configuration can get wrong. */
  exitCode: number;
}

/** `messages` were found before the failure and belong in front of its lines. */
export type LoadResult =
  | { ok: true; settings: Settings; messages: ConfMessage[] }
  | { ok: false; failure: ConfFailure; messages: ConfMessage[] };

/** What the command line adds to a configuration. */
export interface CommandLinePorts {
  /** Every -p, in order; they count in local-only mode. */
  ports: number[];
  /** The secure home: its CA serves where the file names none. */
  home?: string | null;
}
