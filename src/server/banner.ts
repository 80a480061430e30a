/**
 * What a start of the secure home prints: on the first, everything needed to send the first message, as lines to
 * paste; on later ones, where to look. The password is printed once and never again.
 */
import os from 'node:os';
import { shellWord } from '../pki/mod.ts';
import type { Home } from './first-start.ts';

export function bannerLines(home: Home): string[] {
  return home.password === null ? laterLines(home) : firstLines(home, home.password);
}

function firstLines(home: Home, password: string): string[] {
  const { machine, folder, cafile, ports } = home;
  const remote = machine.reachableAt ?? `${machine.hostName}.local`;
  const client = (program: string, host: string, ca: string, rest: string) =>
    `  ${program} -h ${host} -p ${ports.mqtt} --cafile ${shellWord(ca)} -u ${home.user} -P ${password} ${rest}`;
  return [
    `Your broker is made, and lives in ${folder}`,
    `  user      ${home.user}`,
    `  password  ${password}   (shown this once)`,
    `  CA        ${cafile}`,
    `  SHA-256   ${home.caFingerprint}`,
    '',
    'Subscribe, on this machine:',
    client('mosquitto_sub', 'localhost', cafile, `-t 'hello/#' -v`),
    'Publish, in another terminal:',
    client('mosquitto_pub', 'localhost', cafile, `-t hello/world -m 'Hello'`),
    '',
    'Or with the clients of this program, which on this machine know all of that by themselves:',
    `  zancudo sub -t 'hello/#' -v`,
    '  zancudo pub -t hello/world -m Hello',
    '',
    'From another machine, fetch the CA first (it is public; the keys stay here):',
    `  scp ${loginName()}${remote}:${shellWord(cafile)} zancudo-ca.crt`,
    client('mosquitto_sub', remote, 'zancudo-ca.crt', `-t 'hello/#' -v`),
    '',
    'A device gets a certificate of its own, and settings for what it runs: zancudo device add NAME',
    `Browsers: wss://${remote}:${ports.websockets}   Settings: ${home.configFile}`,
    `The root of the CA is not needed every day; keep it elsewhere if you can: ${folder}/root`,
  ];
}

function laterLines({ folder, cafile, caFingerprint, user, configFile }: Home): string[] {
  return [
    `Home ${folder}: settings ${configFile}, user ${user}`,
    `Clients need the CA ${cafile}`,
    `  SHA-256 ${caFingerprint}`,
  ];
}

function loginName(): string {
  try {
    return `${os.userInfo().username}@`;
  } catch {
    return '';
  }
}
