/** What `pub`, `sub` and `rr` say to their user: Mosquitto's line first, then the cause and the remedy. */
import { ClientError, reasonName, returnCodeName, type ProtocolVersion } from '../../client/mod.ts';
import type { Context } from '../context.ts';
import { libraryError, notConnectedLine } from './library-errors.ts';
import { Output } from './output.ts';
import { SettingFault } from './settings.ts';

export class Console {
  readonly output = new Output();
  private readonly context: Context;
  private readonly quiet: boolean;

  constructor(context: Context, quiet: boolean) {
    this.context = context;
    this.quiet = quiet;
  }

  complain(line: string): void {
    if (this.quiet) return;
    this.output.flush();
    this.context.complain(`${line}\n`);
  }

  explain(error: ClientError): void {
    this.complain(`  ${error.message}`);
    for (const line of error.remedy) this.complain(`  ${line}`);
  }

  /** Returns the exit code. */
  notConnected(error: unknown, version: ProtocolVersion, alsoError: boolean): number {
    if (error instanceof SettingFault) {
      this.complain(error.message);
      this.complain(`  ${error.why}`);
      return 1;
    }
    if (!(error instanceof ClientError)) throw error;
    if (error.kind === 'refused') return this.refused(error, version, alsoError);
    if (error.kind === 'lost' || error.kind === 'protocol') return this.ended(error);
    this.complain(error.code.startsWith('tls.file') ? fileLine : notConnectedLine(error));
    this.explain(error);
    return 1;
  }

  /** A connection that came about and ended: libmosquitto's number is the exit code. */
  ended(error: ClientError): number {
    const { number, text } = libraryError(error);
    this.complain(`Error: ${text}`);
    this.explain(error);
    return number;
  }

  private refused(error: ClientError, version: ProtocolVersion, alsoError: boolean): number {
    const { reasonCode = 0, reasonString } = error;
    this.complain(`Connection error: ${refusalText(version, reasonCode)}`);
    if (alsoError) this.complain(`Error: ${libraryError(error).text}`);
    if (reasonString !== undefined) this.complain(`  ${reasonString}`);
    for (const line of error.remedy) this.complain(`  ${line}`);
    return reasonCode;
  }
}

const fileLine = 'Error: Problem setting TLS options: File not found.';
const unsupportedProtocolVersion = 0x84;

function refusalText(version: ProtocolVersion, code: number): string {
  if (version !== 5 || code < 0x80) return returnCodeName(code);
  const more = '. Try connecting to an MQTT v5 broker, or use MQTT v3.x mode.';
  return `${reasonName(code)}${code === unsupportedProtocolVersion ? more : ''}`;
}
