/**
 * The settings file of a new home: plain mosquitto.conf, so that whoever edits it learns nothing they cannot use
 * elsewhere. TLS on every listener; people say who they are by password, devices by certificate.
 */
import { shellWord } from '../pki/mod.ts';

export interface HomePorts {
  mqtt: number;
  websockets: number;
}

interface HomeSettings {
  folder: string;
  passwordFile: string;
  accessFile: string;
  trusted: string;
  revoked: string;
  modern: { certificate: string; key: string };
  old: { certificate: string; key: string };
  ports: HomePorts;
  /** Where the store's file lies. */
  dataFolder: string;
  user: string | null;
}

export function homeConfiguration(settings: HomeSettings): string {
  const { passwordFile, accessFile, trusted, revoked, ports } = settings;
  return `# Settings of this Zancudo, in the syntax of mosquitto.conf. They are yours: this file was written once
# and is never written again. After a change: kill -HUP its process, or start it again.

# Everybody says who they are. More users: mosquitto_passwd ${shellWord(passwordFile)} NAME
allow_anonymous false
password_file ${passwordFile}

# Who may do what. The first user may do everything; everybody else what this file says.
acl_file ${accessFile}
${runsAs(settings.user)}
# Sessions, messages that wait and retained messages survive a restart: QoS 1 and 2 are acknowledged when they are
# on the disk.
persistence true
persistence_location ${settings.dataFolder}

# MQTT over TLS. The second pair serves devices that know RSA only. Who shows a certificate of the CA of this home
# is named by it (zancudo device add NAME); who shows none logs in with user name and password.
listener ${ports.mqtt}
${pairs(settings)}request_certificate true
use_identity_as_username true
cafile ${trusted}
crlfile ${revoked}

# Devices may come here for their certificate (zancudo device invite NAME), and renew it themselves, also a while after
# it has ended (enrolment_grace_days, 30 unless set).
enrolment true

# MQTT over secure WebSocket, for browsers: wss://HOST:${ports.websockets}
listener ${ports.websockets}
protocol websockets
${pairs(settings)}`;
}

/** The access file of a new home, in the syntax of acl_file. */
export function homeAccess(user: string): string {
  return `# Who may do what, in the syntax of acl_file. This file is yours, except for the part between the marks that
# 'zancudo device' keeps at its end. The broker of this home takes changes over by itself.

# The first user may do everything. Give another user the same two lines, or fewer.
user ${user}
topic readwrite #
topic read $SYS/#

# A corner for everybody else with a password would be: pattern readwrite people/%u/#
`;
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
