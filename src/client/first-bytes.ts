/** What a port that is no MQTT port says first, recognised by its first bytes. */
import { ClientError } from './client-error.ts';

interface Stranger {
  matches: (bytes: Buffer) => boolean;
  code: string;
  says: string;
  remedy: string;
}

const startsWith = (text: string) => (bytes: Buffer) => bytes.toString('latin1', 0, text.length) === text;

const strangers: readonly Stranger[] = [
  {
    matches: bytes => bytes[0] === 0x15 && bytes[1] === 0x03,
    code: 'mqtt.tls-port',
    says: 'speaks TLS',
    remedy: 'Connect with TLS: name the CA with --cafile.',
  },
  {
    matches: startsWith('HTTP/'),
    code: 'mqtt.http-port',
    says: 'speaks HTTP',
    remedy: 'A WebSocket listener needs --ws; otherwise this is no MQTT port.',
  },
  { matches: startsWith('SSH-'), code: 'mqtt.ssh-port', says: 'speaks SSH', remedy: 'MQTT has port 1883, or 8883.' },
];

export function notMqtt(bytes: Buffer, place: string): ClientError | null {
  const found = strangers.find(each => each.matches(bytes));
  if (found === undefined) return null;
  const message = `${place} ${found.says}, not plain MQTT.`;
  return new ClientError({ code: found.code, kind: 'protocol', message, remedy: [found.remedy] });
}
