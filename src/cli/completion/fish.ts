/** The script for fish: a line for every choice, with the condition under which it is one. */
import type { Completion, OptionRow } from '../command-page.ts';
import { namesOf, programsOf, type CommandWords } from './words.ts';

export function fishScript(commands: readonly CommandWords[]): string {
  const programs = programsOf(commands);
  const names = ['zancudo', ...programs.map(({ program }) => program)];
  return `# Completion of zancudo for fish, printed by: zancudo completion fish

# The command, and the words behind it that are no options and no arguments of options.
function __zancudo_path
  set -l tokens (commandline -opc)
  set -l program (path basename -- $tokens[1])
  set -e tokens[1]
  set -l command broker
  switch $program
${programs.map(({ program, command }) => `    case ${program}\n      set command ${command}\n`).join('')}    case '*'
      if not set -q tokens[1]
        # Nothing is typed yet: a command, or an option of the broker.
        echo start
        return
      end
      if not string match -q -- '-*' $tokens[1]
        set command $tokens[1]
        set -e tokens[1]
      end
  end
  set -l words $command
  set -l skip no
  for token in $tokens
    if test $skip = yes
      set skip no
    else if string match -q -- '-*' $token
      contains -- "$command $token" $__zancudo_with_argument; and set skip yes
    else
      set -a words $token
    end
  end
  string join ' ' $words
end

function __zancudo_in
  test (__zancudo_path) = "$argv[1]"
end

function __zancudo_command
  set -l words (string split ' ' (__zancudo_path))
  test "$words[1]" = $argv[1]; or test "$words[1]" = start -a $argv[1] = broker
end

set -g __zancudo_with_argument ${commands.flatMap(withArgument).map(quoted).join(' ')}

for program in ${names.join(' ')}
  complete -c $program -f
${commands.map(row => `  complete -c $program -n '__zancudo_in start' -a ${row.command} -d ${quoted(row.summary)}\n`).join('')}${commands.map(commandLines).join('')}end
`;
}

function commandLines(row: CommandWords): string {
  const options = row.options.map(option => optionLine(row.command, option));
  const words = [...row.paths].flatMap(([path, choices]) => {
    return choices.map(({ word, says }) => {
      return `  complete -c $program -n ${quoted(`__zancudo_in "${path}"`)} -a ${word} -d ${quoted(says)}\n`;
    });
  });
  const operand =
    row.operand === null
      ? ''
      : `  complete -c $program -n '__zancudo_command ${row.command}' ${argument(row.operand)}\n`;
  return [...options, ...words, operand].join('');
}

function optionLine(command: string, row: OptionRow): string {
  const names = namesOf(row).map(name => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`));
  const takes = row.argument === undefined ? '' : ` -r ${argument(row.completes ?? null)}`;
  return `  complete -c $program -n '__zancudo_command ${command}' ${names.join(' ')}${takes} -d ${quoted(row.says)}\n`;
}

function argument(completes: Completion | null): string {
  if (completes === null) return '-f';
  if (completes === 'file') return '-F';
  if (completes === 'folder') return `-f -a '(__fish_complete_directories)'`;
  return `-f -a ${quoted(completes.join(' '))}`;
}

function withArgument({ command, options }: CommandWords): string[] {
  return options
    .filter(row => row.argument !== undefined)
    .flatMap(namesOf)
    .map(name => `${command} ${name}`);
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
