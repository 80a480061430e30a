/** Why a broker cannot be made or started: the lines that its log would have had, the first as the message. */
export class BrokerError extends Error {
  override readonly name = 'BrokerError';
  readonly lines: readonly string[];

  constructor(lines: readonly string[]) {
    super(lines.map(line => line.replace(/^Error: /, '').trim()).join('\n'));
    this.lines = lines;
  }
}
