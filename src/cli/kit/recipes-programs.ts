/** Settings for programs: Home Assistant, Zigbee2MQTT, Node-RED, mosquitto, paho, MQTT.js. */
import { shellWord } from '../../pki/mod.ts';
import type { KitFacts, Recipe } from './facts.ts';

const homeAssistant: Recipe = {
  name: 'home-assistant',
  title: 'Home Assistant',
  files: ({ host, port, name }) => [
    {
      name: 'steps.txt',
      content: `Settings > Devices & services > Add integration > MQTT (or Reconfigure, if it is there):

  Broker                        ${host}
  Port                          ${port}
  Username, Password            (empty: the certificate says who it is)
  Advanced options              on, then Next
  Client ID                     ${name}
  Use a client certificate      on
    Upload client certificate   ${name}.crt
    Upload private key          ${name}.key
  Broker certificate validation Custom
    Upload custom CA            ca.crt
  Ignore broker certificate validation   off

Discovery (homeassistant/#) has to be in its access template:
  zancudo device template home-assistant 'readwrite homeassistant/#' 'readwrite devices/#'
  zancudo device template --of ${name} home-assistant
`,
    },
  ],
  tryIt: () => 'Do the steps of home-assistant/steps.txt; the last one connects and says so.',
};

const zigbee2mqtt: Recipe = {
  name: 'zigbee2mqtt',
  title: 'Zigbee2MQTT',
  files: ({ host, port, name, topic }) => [
    {
      name: 'configuration.yaml',
      content: `# This section goes into data/configuration.yaml; ca.crt, ${name}.crt and ${name}.key into data/.
mqtt:
  base_topic: ${topic.replace(/\/[^/]*$/, '')}
  server: mqtts://${host}:${port}
  ca: /app/data/ca.crt
  cert: /app/data/${name}.crt
  key: /app/data/${name}.key
  client_id: ${name}
  reject_unauthorized: true
  version: 5
`,
    },
  ],
  tryIt: () => 'Restart Zigbee2MQTT; its log says "Connected to MQTT server".',
};

const nodeRed: Recipe = {
  name: 'node-red',
  title: 'Node-RED',
  files: facts => [{ name: 'flow.json', content: `${JSON.stringify(nodeRedFlow(facts), null, 2)}\n` }],
  tryIt: () =>
    'Import node-red/flow.json (Menu > Import), put the three files where it says, Deploy, press the button.',
};

function nodeRedFlow({ host, port, name, topic }: KitFacts): object[] {
  const id = (part: string): string => `zancudo-${part}`;
  return [
    {
      id: id('tls'),
      type: 'tls-config',
      name: `Zancudo: ${name}`,
      cert: `/data/${name}.crt`,
      key: `/data/${name}.key`,
      ca: '/data/ca.crt',
      certname: '',
      keyname: '',
      caname: '',
      servername: '',
      verifyservercert: true,
    },
    {
      id: id('broker'),
      type: 'mqtt-broker',
      name: 'Zancudo',
      broker: host,
      port: String(port),
      tls: id('tls'),
      clientid: name,
      usetls: true,
      protocolVersion: '5',
      keepalive: '60',
      cleansession: true,
    },
    { id: id('tab'), type: 'tab', label: 'Zancudo' },
    { id: id('button'), type: 'inject', z: id('tab'), name: 'hello', topic, payload: 'hello', payloadType: 'str', x: 120, y: 80, wires: [[id('out')]] },
    { id: id('out'), type: 'mqtt out', z: id('tab'), name: '', topic: '', qos: '1', retain: 'false', broker: id('broker'), x: 300, y: 80, wires: [] },
    { id: id('in'), type: 'mqtt in', z: id('tab'), name: '', topic, qos: '1', datatype: 'auto-detect', broker: id('broker'), x: 120, y: 140, wires: [[id('show')]] },
    { id: id('show'), type: 'debug', z: id('tab'), name: '', active: true, tosidebar: true, complete: 'payload', x: 300, y: 140, wires: [] },
  ]; // prettier-ignore
}

/** From the folder of the kit. */
export function mosquittoLine(program: string, { host, port, name, topic }: KitFacts, rest: string): string {
  return `${program} -h ${shellWord(host)} -p ${port} --cafile ca.crt --cert ${name}.crt --key ${name}.key -i ${name} -t ${shellWord(topic)} ${rest}`;
}

const mosquitto: Recipe = {
  name: 'mosquitto',
  title: 'Mosquitto: its clients, and a bridge',
  files: facts => [
    {
      name: 'bridge.conf',
      content: `# A Mosquitto that passes its messages on, for its mosquitto.conf. The kit lies in /etc/mosquitto/${facts.name}.
connection zancudo
address ${facts.host}:${facts.port}
remote_clientid ${facts.name}
bridge_cafile /etc/mosquitto/${facts.name}/ca.crt
bridge_certfile /etc/mosquitto/${facts.name}/${facts.name}.crt
bridge_keyfile /etc/mosquitto/${facts.name}/${facts.name}.key
topic # out 1 "" ${facts.topic.replace(/\/[^/]*$/, '/')}
`,
    },
  ],
  tryIt: facts => mosquittoLine('mosquitto_pub', facts, '-m hello'),
};

const pahoPython: Recipe = {
  name: 'paho-python',
  title: 'Python, paho-mqtt 1 and 2',
  files: ({ host, port, name, topic }) => [
    {
      name: 'publish.py',
      content: `"""Run it in the folder of the kit: python3 paho-python/publish.py"""
import paho.mqtt.publish as publish

publish.single(
    "${topic}",
    "hello",
    qos=1,
    hostname="${host}",
    port=${port},
    client_id="${name}",
    tls={"ca_certs": "ca.crt", "certfile": "${name}.crt", "keyfile": "${name}.key"},
)
print("published to ${topic}")
`,
    },
  ],
  tryIt: () => 'python3 paho-python/publish.py',
};

const pahoJava: Recipe = {
  name: 'paho-java',
  title: 'Java, Eclipse Paho (mqttv3)',
  files: facts => [{ name: 'Publish.java', content: javaProgram(facts) }],
  tryIt: () => 'java -cp org.eclipse.paho.client.mqttv3-1.2.5.jar paho-java/Publish.java',
};

function javaProgram({ host, port, name, topic, password }: KitFacts): string {
  return `import java.io.FileInputStream;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.eclipse.paho.client.mqttv3.MqttClient;
import org.eclipse.paho.client.mqttv3.MqttConnectOptions;
import org.eclipse.paho.client.mqttv3.MqttMessage;
import org.eclipse.paho.client.mqttv3.persist.MemoryPersistence;

/** Run it in the folder of the kit. */
public class Publish {
    public static void main(String[] args) throws Exception {
        char[] password = "${password}".toCharArray();
        KeyStore own = KeyStore.getInstance("PKCS12");
        own.load(new FileInputStream("${name}.p12"), password);
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(own, password);

        KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
        trusted.load(null, null);
        trusted.setCertificateEntry("ca",
            CertificateFactory.getInstance("X.509").generateCertificate(new FileInputStream("ca.crt")));
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(trusted);

        SSLContext tls = SSLContext.getInstance("TLS");
        tls.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
        MqttConnectOptions options = new MqttConnectOptions();
        options.setSocketFactory(tls.getSocketFactory());

        MqttClient client = new MqttClient("ssl://${host}:${port}", "${name}", new MemoryPersistence());
        client.connect(options);
        client.publish("${topic}", new MqttMessage("hello".getBytes()));
        client.disconnect();
        client.close();
    }
}
`;
}

const mqttJs: Recipe = {
  name: 'mqttjs',
  title: 'JavaScript, MQTT.js 5',
  files: ({ host, port, name, topic }) => [
    {
      name: 'publish.mjs',
      content: `// Run it in the folder of the kit: npm install mqtt && node mqttjs/publish.mjs
import { readFileSync } from 'node:fs';
import mqtt from 'mqtt';

const client = await mqtt.connectAsync('mqtts://${host}:${port}', {
  clientId: '${name}',
  ca: readFileSync('ca.crt'),
  cert: readFileSync('${name}.crt'),
  key: readFileSync('${name}.key'),
});
await client.publishAsync('${topic}', 'hello', { qos: 1 });
console.log('published to ${topic}');
await client.endAsync();
`,
    },
  ],
  tryIt: () => 'npm install mqtt && node mqttjs/publish.mjs',
};

export const programRecipes: readonly Recipe[] = [
  homeAssistant,
  zigbee2mqtt,
  nodeRed,
  mosquitto,
  pahoPython,
  pahoJava,
  mqttJs,
];
