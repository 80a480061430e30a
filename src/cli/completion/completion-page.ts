/** What `zancudo completion` takes. */
import type { CommandPage } from '../command-page.ts';

export const completionPage: CommandPage = {
  command: 'completion',
  summary: 'prints a script that lets a shell complete commands and options',
  usage: ['{bash | zsh | fish}'],
  about: [
    'bash: zancudo completion bash > ~/.local/share/bash-completion/completions/zancudo. A line in ~/.bashrc does as well: source <(zancudo completion bash)',
    'zsh: zancudo completion zsh > "${fpath[1]}/_zancudo", then a new shell.',
    'fish: zancudo completion fish > ~/.config/fish/completions/zancudo.fish',
    'The tools under their Mosquitto names are completed too.',
  ],
  options: [{ long: '--help', says: 'Show this text.' }],
  operands: [
    { name: 'bash', says: 'For bash 4 and newer.' },
    { name: 'zsh', says: 'For zsh.' },
    { name: 'fish', says: 'For fish 3 and newer.' },
  ],
  exitCodes: [
    { code: '0', when: 'Printed.' },
    { code: '1', when: 'There is no such shell.' },
  ],
};
