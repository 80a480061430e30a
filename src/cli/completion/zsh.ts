/** The script for zsh: as for bash, with a line about every choice. */
import type { Completion } from '../command-page.ts';
import { namesOf, programsOf, type Choice, type CommandWords } from './words.ts';

export function zshScript(commands: readonly CommandWords[]): string {
  const programs = programsOf(commands);
  return `#compdef zancudo ${programs.map(({ program }) => program).join(' ')}
# Completion of zancudo for zsh, printed by: zancudo completion zsh

_zancudo_takes_argument() {
  case $1 in
${commands.map(takesCase).join('')}  esac
  return 1
}

_zancudo() {
  local command=broker first=2 at path_words prev=$words[CURRENT-1]
  local -a choices
  case \${words[1]:t} in
${programs.map(({ program, command }) => `    (${program}) command=${command} ;;\n`).join('')}    (*)
      if [[ $CURRENT -eq 2 && $words[2] != -* ]]; then
${choiceLines(
  commands.map(({ command, summary }) => ({ word: command, says: summary })),
  '        ',
)}
        _describe command choices
        return
      fi
      if [[ $words[2] != -* ]]; then
        command=$words[2] first=3
      fi ;;
  esac
  if [[ $CURRENT -gt $first ]]; then
    case "$command $prev" in
${commands.map(argumentCases).join('')}    esac
  fi
  if [[ $words[CURRENT] == -* ]]; then
    case $command in
${commands.map(optionCase).join('')}    esac
    return
  fi
  path_words=$command
  for ((at = first; at < CURRENT; at++)); do
    if [[ $words[at] == -* ]]; then
      _zancudo_takes_argument "$command $words[at]" && ((at++))
    else
      path_words+=" $words[at]"
    fi
  done
  case $path_words in
${commands.map(pathCases).join('')}  esac
  case $command in
${commands.map(operandCase).join('')}  esac
}

if [[ $funcstack[1] == _zancudo ]]; then
  _zancudo "$@"
else
  compdef _zancudo zancudo ${programs.map(({ program }) => program).join(' ')}
fi
`;
}

function argumentCases({ command, options }: CommandWords): string {
  return options
    .filter(row => row.argument !== undefined)
    .map(row => `      (${patterns(command, namesOf(row))}) ${action(row.completes ?? null)}return ;;\n`)
    .join('');
}

function action(completes: Completion | null): string {
  if (completes === null) return '';
  if (completes === 'file') return '_files; ';
  if (completes === 'folder') return '_files -/; ';
  return `compadd -- ${completes.join(' ')}; `;
}

function optionCase({ command, options }: CommandWords): string {
  const choices = options.flatMap(row => namesOf(row).map(word => ({ word, says: row.says })));
  return `      (${command})\n${choiceLines(choices, '        ')}\n        _describe option choices ;;\n`;
}

function pathCases({ paths }: CommandWords): string {
  return [...paths]
    .map(([path, choices]) => {
      return `    ('${path}')\n${choiceLines(choices, '      ')}\n      _describe word choices\n      return ;;\n`;
    })
    .join('');
}

function operandCase({ command, operand }: CommandWords): string {
  return operand === null ? '' : `    (${command}) ${action(operand)};;\n`;
}

function takesCase({ command, options }: CommandWords): string {
  const names = options.filter(row => row.argument !== undefined).flatMap(namesOf);
  return names.length === 0 ? '' : `    (${patterns(command, names)}) return 0 ;;\n`;
}

function patterns(command: string, names: readonly string[]): string {
  return names.map(name => `'${command} ${name}'`).join('|');
}

/** `word:what it does`; a colon of its own would end the word. */
function choiceLines(choices: readonly Choice[], indent: string): string {
  const rows = choices.map(({ word, says }) => `${indent}  ${quoted(`${word}:${says.replaceAll(':', '\\:')}`)}`);
  return `${indent}choices=(\n${rows.join('\n')}\n${indent})`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
