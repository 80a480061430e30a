/** Why something cannot be moved, saved or put back: the lines for whoever asked. */
export class MovingError extends Error {
  readonly code: string;
  readonly lines: readonly string[];

  constructor(code: string, lines: readonly string[]) {
    super(lines[0] ?? code);
    this.code = code;
    this.lines = lines;
  }
}
