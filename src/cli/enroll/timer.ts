/** `zancudo enroll timer`: units of systemd that renew a profile in time. */
import { shellWord } from '../../pki/mod.ts';
import type { Call } from '../ca/subcommand.ts';
import { enrolledProfile } from './renew.ts';

export function timer(call: Call): number {
  const { name } = enrolledProfile(call);
  const unit = `zancudo-renew-${name}`;
  const program = process.argv[1] ?? 'zancudo';
  call.say(
    `# ~/.config/systemd/user/${unit}.service`,
    '[Unit]',
    `Description=Renew the MQTT certificate of the profile ${name}`,
    '[Service]',
    'Type=oneshot',
    `Environment="ZANCUDO_HOME=${call.home.folder}"`,
    `ExecStart=${shellWord(process.execPath)} ${shellWord(program)} enroll renew --profile ${name} --if-days-left 30`,
    '',
    `# ~/.config/systemd/user/${unit}.timer`,
    '[Timer]',
    'OnCalendar=daily',
    'RandomizedDelaySec=6h',
    'Persistent=true',
    '[Install]',
    'WantedBy=timers.target',
    '',
    `# Then: systemctl --user enable --now ${unit}.timer`,
  );
  return 0;
}
