/** MQTT.js, which browsers and Node programs use: TCP, TLS, WebSocket and secure WebSocket. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import mqtt, { type IClientOptions, type IPublishPacket, type MqttClient } from 'mqtt';
import { needs, until, within } from '../harness/mod.ts';
import { openStage, type ListenerKind, type Stage } from './stage.ts';

const needed = needs('openssl', 'mosquitto_passwd');
let stage: Stage;

const schemes: Record<string, ListenerKind> = {
  mqtt: 'plain',
  mqtts: 'tls',
  ws: 'websocket',
  wss: 'secureWebsocket',
};
const versions: Record<string, IClientOptions> = {
  'MQTT 3.1': { protocolVersion: 3, protocolId: 'MQIsdp' },
  'MQTT 3.1.1': { protocolVersion: 4 },
  'MQTT 5': { protocolVersion: 5 },
};

async function connect(scheme: string, options: IClientOptions): Promise<MqttClient> {
  const url = `${scheme}://localhost:${stage.port(schemes[scheme]!)}`;
  const ca = readFileSync(stage.file('ca.crt'));
  return within(`a connection to ${url}`, mqtt.connectAsync(url, { reconnectPeriod: 0, ca, ...options }, false));
}

function collect(client: MqttClient): IPublishPacket[] {
  const received: IPublishPacket[] = [];
  client.on('message', (_topic, _payload, packet) => received.push(packet));
  return received;
}

describe('MQTT.js', needed, () => {
  before(async () => (stage = await openStage()));
  after(() => stage.close());

  for (const scheme of Object.keys(schemes)) {
    for (const [version, options] of Object.entries(versions)) {
      test(`${version} over ${scheme}: each QoS comes back as it was sent`, async t => {
        const client = await connect(scheme, { clientId: `js-${scheme}-${options.protocolVersion}`, ...options });
        t.after(() => client.endAsync(true));
        const received = collect(client);
        const topic = `js/${scheme}/${options.protocolVersion}`;
        await client.subscribeAsync(`${topic}/#`, { qos: 2 });
        for (const qos of [0, 1, 2] as const) await client.publishAsync(`${topic}/${qos}`, `payload ${qos}`, { qos });
        await until('three messages', () => received.length === 3);
        assert.deepEqual(
          received.map(packet => [packet.topic, packet.payload.toString(), packet.qos]),
          [0, 1, 2].map(qos => [`${topic}/${qos}`, `payload ${qos}`, qos]),
        );
      });
    }
  }

  test('MQTT 5: topic aliases in both directions carry the right topics', async t => {
    const client = await connect('mqtt', {
      protocolVersion: 5,
      autoAssignTopicAlias: true,
      autoUseTopicAlias: true,
      properties: { topicAliasMaximum: 5 },
    });
    t.after(() => client.endAsync(true));
    const received = collect(client);
    await client.subscribeAsync('alias/#', { qos: 1 });
    const topics = Array.from({ length: 30 }, (_, n) => `alias/${n % 7}`);
    for (const topic of topics) await client.publishAsync(topic, topic, { qos: 1 });
    await until('thirty messages', () => received.length === 30);
    assert.deepEqual(
      received.map(packet => packet.payload.toString()),
      topics,
    );
  });

  test('MQTT 5: a session with an expiry keeps its messages while the client is away', async t => {
    const options: IClientOptions = {
      protocolVersion: 5,
      clientId: 'js-sleeper',
      clean: false,
      properties: { sessionExpiryInterval: 300 },
    };
    const before = await connect('wss', options);
    await before.subscribeAsync('js/sleep', { qos: 1 });
    await before.endAsync();
    const other = await connect('mqtts', { protocolVersion: 4 });
    t.after(() => other.endAsync(true));
    await other.publishAsync('js/sleep', 'while you slept', { qos: 1 });
    const url = `ws://localhost:${stage.port('websocket')}`;
    const again = mqtt.connect(url, { reconnectPeriod: 0, ...options });
    t.after(() => again.endAsync(true));
    const received = collect(again);
    await until('the kept message', () => received.length > 0);
    assert.equal(received[0]?.payload.toString(), 'while you slept');
  });

  test('a broker certificate of an authority that is not trusted is refused by the client', async () => {
    const url = `mqtts://localhost:${stage.port('tls')}`;
    await assert.rejects(
      within('a refusal', mqtt.connectAsync(url, { reconnectPeriod: 0 }, false)),
      /self.signed|unable to/i,
    );
  });
});
