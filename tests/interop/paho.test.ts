/** paho-mqtt of Debian (Python): every version of MQTT over every transport. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { needs, run } from '../harness/mod.ts';
import { openStage, type Stage } from './stage.ts';

const python = '/usr/bin/python3';
const flow = fileURLToPath(new URL('paho-flow.py', import.meta.url));
const needed = needs(python, '/usr/lib/python3/dist-packages/paho', 'openssl', 'mosquitto_passwd');
let stage: Stage;

const transports = [
  ['plain', 'tcp', false],
  ['tls', 'tcp', true],
  ['websocket', 'websockets', false],
  ['secureWebsocket', 'websockets', true],
] as const;

describe('paho-mqtt', needed, () => {
  before(async () => (stage = await openStage()));
  after(() => stage.close());

  for (const [listener, transport, isSecure] of transports) {
    for (const version of [3, 4, 5]) {
      test(`version ${version} on the ${listener} listener: each QoS comes back as it was sent`, async () => {
        const topic = `paho/${listener}/${version}`;
        const ca = isSecure ? stage.file('ca.crt') : null;
        const wanted = { port: stage.port(listener), version, transport, ca, topic, id: `paho-${listener}-${version}` };
        const result = await run(python, [flow, JSON.stringify(wanted)]);
        assert.equal(result.code, 0, result.output + stage.broker.log);
        const messages = [0, 1, 2].map(qos => ({
          ...{ topic: `${topic}/${qos}`, payload: `payload ${qos}`, qos, retain: false },
          ...(version === 5 ? { user: [['qos', String(qos)]] } : {}),
        }));
        assert.deepEqual(JSON.parse(result.stdout), [{ connack: 0 }, { granted: [2] }, ...messages]);
      });
    }
  }
});
