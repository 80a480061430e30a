/** The reference page of the broker's command line, written from the tables by scripts/reference-cli.ts. */
import { exitCodeMeanings, exitCodes, signalActions } from '../server/process/mod.ts';
import { brokerOptions } from './broker-options.ts';

const introduction = `# Command line of the broker

Generated from \`src/cli/broker-options.ts\` and \`src/server/process/\` by \`scripts/reference-cli.ts\`; changes made here
are lost.

\`zancudo\` alone runs the broker from its secure home, which the first start makes. \`zancudo -c FILE\` takes the place of
\`mosquitto -c FILE\`. \`zancudo -p PORT\` is open to clients of this machine only. Started through a symbolic link named
\`mosquitto\`, the program without options is open to this machine only, on port 1883, as Mosquitto is.

## Options

| option | argument | what it does |
|---|---|---|
`;

const signalsHead = `
All but those marked are Mosquitto's, with its error lines.

## Signals

| signal | what it does |
|---|---|
`;

const signalsEnd = `| SIGRTMIN | Nothing: Node cannot listen to it, so \`bin/zancudo\` has it ignored. |

A log file that was renamed or removed is noticed within a second of the next line, and a new one is begun: \`logrotate\`
needs no signal.

## Exit codes

| code | when |
|---|---|
`;

const environment = `
## Environment

| variable | what it does |
|---|---|
| \`ZANCUDO_HOME\` | Where the secure home is, unless \`--home\` says so. |
| \`PUID\`, \`PGID\` | Started as root: the numeric user and group to become instead of the option \`user\`; 0 leaves them. |
| \`UMASK_SET\` | The umask, as an octal number. |
| \`MOSQUITTO_UNSAFE_ALLOW_SYMLINKS\` | Set to anything: files that must not be symbolic links may be. |
| \`MOSQUITTO_DYNSEC_PASSWORD\` | At least 12 characters: the password of \`admin\` when dynamic security makes its first file. |
| \`NOTIFY_SOCKET\`, \`WATCHDOG_USEC\` | Set by systemd, which is told when the broker is ready, reloads, stops and lives. The unit needs \`NotifyAccess=all\`, because the program \`systemd-notify\` carries the message. |
`;

export function brokerPage(): string {
  const options = brokerOptions.map(({ short, long, argument = '', ours, says }) => {
    const names = short === undefined ? `\`${long}\`` : `\`${short}\`, \`${long}\``;
    return `| ${names} | ${argument} | ${says}${ours ? " Zancudo's own." : ''} |\n`;
  });
  const signals = signalActions.map(({ signal, says }) => `| ${signal} | ${says} |\n`);
  const codes = Object.entries(exitCodes).map(([name, code]) => {
    return `| ${code} | ${exitCodeMeanings[name as keyof typeof exitCodes]} |\n`;
  });
  return [introduction, ...options, signalsHead, ...signals, signalsEnd, ...codes, environment].join('');
}
