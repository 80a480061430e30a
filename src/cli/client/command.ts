/** What the three clients have in common: arguments, help, version, profile, and one door for faults of our own. */
import type { Context } from '../context.ts';
import { readArguments } from './arguments.ts';
import type { Draft, Tool, UsageError } from './draft.ts';
import { Console } from './console.ts';

export type Run = (draft: Draft, console: Console) => Promise<number>;

export async function runClient(tool: Tool, args: readonly string[], context: Context, run: Run): Promise<number> {
  const outcome = await checkedFormat(readArguments(tool, args, context.environment));
  if ('kind' in outcome) return refuse(outcome, tool, context);
  const console = new Console(context, outcome.quiet);
  const known = await withProfile(outcome, context, console);
  if (!known) return 1;
  if (outcome.insecure) {
    console.complain('Warning: --insecure checks neither the name nor the issuer of the certificate of the broker.');
  }
  const exitCode = await run(outcome, console);
  console.output.flush();
  return exitCode;
}

/** Formats are read by who prints them, which `pub` need not load. */
async function checkedFormat(outcome: Draft | UsageError): Promise<Draft | UsageError> {
  if ('kind' in outcome || outcome.format === undefined) return outcome;
  const { checkFormat } = await import('./format-check.ts');
  return checkFormat(outcome.format) ?? outcome;
}

/** Where nothing says where to connect, the profile does. Called by Mosquitto's name, only when asked for. */
export async function withProfile(draft: Draft, context: Context, console: Console): Promise<boolean> {
  const saysWhere = draft.host ?? draft.port ?? draft.unixSocket ?? draft.cafile ?? draft.capath ?? draft.psk;
  const wanted = draft.profile ?? (saysWhere === undefined && context.calledAs === 'zancudo' ? null : undefined);
  if (wanted === undefined) return true;
  const { applyProfile } = await import('./use-profile.ts');
  const fault = applyProfile(draft, wanted, context.environment);
  if (fault !== null) for (const line of fault) console.complain(line);
  return fault === null;
}

function programName(tool: Tool, context: Context): string {
  return context.calledAs === `mosquitto_${tool}` ? context.calledAs : `zancudo ${tool}`;
}

/** Help and version end with 1 as well, as Mosquitto's tools do. */
async function refuse(outcome: UsageError, tool: Tool, context: Context): Promise<number> {
  const program = programName(tool, context);
  if (outcome.kind === 'error') {
    const hint = outcome.hint === null ? '' : `  ${outcome.hint}\n`;
    context.complain(
      `${outcome.line}\n${hint}${outcome.blankLine ? '\n' : ''}\nUse '${program} --help' to see usage.\n`,
    );
    return 1;
  }
  const { clientHelp, clientVersion } = await import('./pages.ts');
  context.print(outcome.kind === 'help' ? clientHelp(tool, program) : clientVersion(program));
  return 1;
}

/** For what only shows once the arguments are complete. */
export async function showUsage(tool: Tool, line: string, context: Context): Promise<number> {
  const { clientHelp } = await import('./pages.ts');
  context.complain(`${line}\n`);
  context.print(clientHelp(tool, programName(tool, context)));
  return 1;
}
