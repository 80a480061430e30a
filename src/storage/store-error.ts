/** Why a store cannot be opened: the lines for the log, Mosquitto's own first, and the exit code of a refused start. */
export class StoreError extends Error {
  readonly code: string;
  readonly lines: readonly string[];
  readonly exitCode: number;

  constructor(code: string, lines: readonly string[], exitCode: number) {
    super(lines.join('\n'));
    this.code = code;
    this.lines = lines;
    this.exitCode = exitCode;
  }
}
