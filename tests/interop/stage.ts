/**
 * One broker with every kind of listener, for clients that others wrote.
 *
 *   0 plain   1 TLS   2 WebSocket   3 secure WebSocket   4 PSK   5 user and password   6 client certificate
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeCertificates, run, startBroker, temporaryDirectory, type Broker } from '../harness/mod.ts';

const ports = {
  plain: 0,
  tls: 1,
  websocket: 2,
  secureWebsocket: 3,
  psk: 4,
  password: 5,
  certificate: 6,
} as const;

export type ListenerKind = keyof typeof ports;

export interface Stage {
  broker: Broker;
  /** A file of harness/certificates.ts. */
  file(name: string): string;
  port(kind: ListenerKind): number;
  /** Path of the Unix socket. */
  socket: string;
  close(): Promise<void>;
}

const tls = (file: (name: string) => string): string =>
  `certfile ${file('server.crt')}\nkeyfile ${file('server.key')}\ncafile ${file('ca.crt')}\n`;

function configuration(port: (nth: number) => number, file: (name: string) => string, socket: string): string {
  const listener = (kind: ListenerKind): string => `listener ${port(ports[kind])} 127.0.0.1\n`;
  const open = 'allow_anonymous true\n';
  return `per_listener_settings true
log_type all
${listener('plain')}${open}
${listener('tls')}${open}${tls(file)}
${listener('websocket')}${open}protocol websockets
${listener('secureWebsocket')}${open}protocol websockets
${tls(file)}
${listener('psk')}${open}psk_hint zancudo
psk_file ${file('psk')}
${listener('password')}password_file ${file('passwords')}
${listener('certificate')}${open}require_certificate true
use_identity_as_username true
${tls(file)}
listener 0 ${socket}
${open}`;
}

export async function openStage(): Promise<Stage> {
  const directory = temporaryDirectory();
  const file = await makeCertificates(directory.path);
  const socket = join(directory.path, 'mqtt.sock');
  writeFileSync(file('psk'), 'device:0123456789abcdef\n', { mode: 0o600 });
  await run('mosquitto_passwd', ['-b', '-c', file('passwords'), 'ana', 'secret']);
  const broker = await startBroker({ conf: at => configuration(nth => at.port(nth), file, socket) });
  return {
    broker,
    file,
    socket,
    port: kind => broker.ports[ports[kind]]!,
    close: async () => {
      await broker.stop();
      directory.remove();
    },
  };
}
