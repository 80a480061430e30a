/**
 * What the broker's log tells its reader to do. A finding is a line that says what was seen, with further lines
 * indented below it; those of them that are commands are meant to be pasted, so the tests paste them.
 */

const isCommand = /^(sudo|openssl|printf|chown|chgrp|chmod) /;

/** The commands below the first finding that matches, in their order. */
export function commandsUnder(finding: RegExp, log: string): string[] {
  const lines = log.split('\n').map(line => line.replace(/^\d+: /, ''));
  const first = lines.findIndex(line => finding.test(line));
  if (first < 0) throw new Error(`no finding matches ${finding} in:\n${log}`);
  const below = lines.slice(first + 1);
  const end = below.findIndex(line => indentation(line) <= indentation(lines[first]!));
  const commands = below.slice(0, end < 0 ? undefined : end).map(line => line.trim());
  return commands.filter(line => isCommand.test(line));
}

const indentation = (line: string): number => line.length - line.trimStart().length;
