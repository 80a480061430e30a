/** The script for bash: one function that finds the command and the words in front, then looks into tables. */
import { namesOf, programsOf, type CommandWords } from './words.ts';

export function bashScript(commands: readonly CommandWords[]): string {
  const programs = programsOf(commands);
  return `# Completion of zancudo for bash, printed by: zancudo completion bash

_zancudo() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} command=broker first=1 at path words
  COMPREPLY=()
  case \${COMP_WORDS[0]##*/} in
${programs.map(({ program, command }) => `    ${program}) command=${command} ;;\n`).join('')}    *)
      if [[ $COMP_CWORD -eq 1 && $cur != -* ]]; then
        _zancudo_words '${commands.map(row => row.command).join(' ')}'
        return
      fi
      if [[ \${COMP_WORDS[1]} != -* ]]; then
        command=\${COMP_WORDS[1]} first=2
      fi ;;
  esac
  if [[ $COMP_CWORD -gt $first || $prev == -* ]]; then
    case "$command $prev" in
${commands.map(argumentCases).join('')}    esac
  fi
  if [[ $cur == -* ]]; then
    case $command in
${commands.map(row => `      ${row.command}) _zancudo_words '${row.options.flatMap(namesOf).join(' ')}' ;;\n`).join('')}    esac
    return
  fi
  path=$command
  for ((at = first; at < COMP_CWORD; at++)); do
    if [[ \${COMP_WORDS[at]} == -* ]]; then
      _zancudo_takes_argument "$command \${COMP_WORDS[at]}" && ((at++))
    else
      path+=" \${COMP_WORDS[at]}"
    fi
  done
  case $path in
${commands.map(pathCases).join('')}  esac
  case $command in
${commands.map(operandCase).join('')}  esac
}

_zancudo_words() {
  mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur")
}

_zancudo_files() {
  compopt -o filenames
  mapfile -t COMPREPLY < <(compgen "$1" -- "$cur")
}

_zancudo_takes_argument() {
  case $1 in
${commands.map(takesCase).join('')}  esac
  return 1
}

complete -F _zancudo zancudo ${programs.map(({ program }) => program).join(' ')}
`;
}

/** What stands behind an option; behind one that takes free text, nothing is offered. */
function argumentCases({ command, options }: CommandWords): string {
  return options
    .filter(row => row.argument !== undefined)
    .map(row => `      ${patterns(command, namesOf(row))}) ${action(row.completes ?? null)}return ;;\n`)
    .join('');
}

function action(completes: CommandWords['operand']): string {
  if (completes === null) return '';
  if (completes === 'file') return '_zancudo_files -f; ';
  if (completes === 'folder') return '_zancudo_files -d; ';
  return `_zancudo_words '${completes.join(' ')}'; `;
}

function pathCases({ paths }: CommandWords): string {
  return [...paths]
    .map(([path, choices]) => {
      return `    '${path}') _zancudo_words '${choices.map(each => each.word).join(' ')}'; return ;;\n`;
    })
    .join('');
}

function operandCase({ command, operand }: CommandWords): string {
  return operand === null ? '' : `    ${command}) ${action(operand)};;\n`;
}

function takesCase({ command, options }: CommandWords): string {
  const names = options.filter(row => row.argument !== undefined).flatMap(namesOf);
  return names.length === 0 ? '' : `    ${patterns(command, names)}) return 0 ;;\n`;
}

function patterns(command: string, names: readonly string[]): string {
  return names.map(name => `'${command} ${name}'`).join('|');
}
