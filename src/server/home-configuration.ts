/**
 * The settings file of a new home: plain mosquitto.conf, so that whoever edits it learns nothing they cannot use
 * elsewhere. TLS on every listener, a password for everyone.
 */
import { shellWord } from '../pki/mod.ts';

export interface HomePorts {
  mqtt: number;
  websockets: number;
}

interface HomeSettings {
  folder: string;
  passwordFile: string;
  modern: { certificate: string; key: string };
  old: { certificate: string; key: string };
  ports: HomePorts;
  user: string | null;
}

export function homeConfiguration(settings: HomeSettings): string {
  const { passwordFile, ports } = settings;
  return `# Settings of this Zancudo, in the syntax of mosquitto.conf. They are yours: this file was written once
# and is never written again. After a change: kill -HUP its process, or start it again.

# Everybody says who they are. More users: mosquitto_passwd ${shellWord(passwordFile)} NAME
allow_anonymous false
password_file ${passwordFile}
${runsAs(settings.user)}
# MQTT over TLS. The second pair serves devices that know RSA only.
listener ${ports.mqtt}
${pairs(settings)}
# MQTT over secure WebSocket, for browsers: wss://HOST:${ports.websockets}
listener ${ports.websockets}
protocol websockets
${pairs(settings)}`;
}

function runsAs(user: string | null): string {
  if (user === null) return '';
  return `\n# Started as root, the broker becomes this user, who can read the files beside this one.\nuser ${user}\n`;
}

function pairs({ modern, old }: HomeSettings): string {
  return `certfile ${modern.certificate}
keyfile ${modern.key}
certfile_rsa ${old.certificate}
keyfile_rsa ${old.key}
`;
}
