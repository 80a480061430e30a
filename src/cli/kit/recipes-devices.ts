/** Settings for firmware: Mongoose OS, ESP-IDF, Arduino, ESPHome, Tasmota. */
import { keyPem, pem } from '../../pki/mod.ts';
import { cHeader } from './c-header.ts';
import type { KitFacts, Recipe } from './facts.ts';

/** Firmware gets the device's certificate alone: the broker has the CA that issued it, and memory is short. */
const leafPem = ({ certificate }: KitFacts): string => pem('CERTIFICATE', certificate.raw);
const keyText = ({ key }: KitFacts): string => (key ? keyPem(key) : '');

const mongooseOs: Recipe = {
  name: 'mongoose-os',
  title: 'Mongoose OS',
  files: facts => [
    {
      name: 'mos.yml',
      content: `# Put these lines into the mos.yml of your project, and the folder fs/ beside it.
libs:
  - origin: https://github.com/mongoose-os-libs/mqtt
config_schema:
  - ["mqtt.enable", true]
  - ["mqtt.server", "${facts.host}:${facts.port}"]
  - ["mqtt.client_id", "${facts.name}"]
  - ["mqtt.ssl_ca_cert", "ca.crt"]
  - ["mqtt.ssl_cert", "${facts.name}.crt"]
  - ["mqtt.ssl_key", "${facts.name}.key"]
`,
    },
    { name: 'fs/ca.crt', content: facts.ca.toString() },
    { name: `fs/${facts.name}.crt`, content: leafPem(facts) },
    ...(facts.key ? [{ name: `fs/${facts.name}.key`, content: keyText(facts) }] : []),
  ],
  tryIt: () => 'mos build && mos flash && mos console',
};

const espIdf: Recipe = {
  name: 'esp-idf',
  title: 'ESP-IDF (esp-mqtt, ESP-IDF 5)',
  files: facts => [
    {
      name: 'mqtt_settings.c',
      content: `#include "mqtt_client.h"
#include "certificates.h"

const esp_mqtt_client_config_t mqtt_settings = {
    .broker.address.uri = "mqtts://${facts.host}:${facts.port}",
    .broker.verification.certificate = ca_pem,
    /* The name in the broker's certificate: mbedTLS compares names, and not every version compares addresses. */
    .broker.verification.common_name = "${facts.serverName}",
    .credentials.client_id = "${facts.name}",
    .credentials.authentication.certificate = certificate_pem,
    .credentials.authentication.key = key_pem,
};

/* esp_mqtt_client_start(esp_mqtt_client_init(&mqtt_settings));  first topic: ${facts.topic} */
`,
    },
    certificatesHeader(facts),
  ],
  tryIt: () => 'idf.py build flash monitor',
};

function certificatesHeader(facts: KitFacts): { name: string; content: string } {
  const texts = { ca_pem: facts.ca.toString(), certificate_pem: leafPem(facts), key_pem: keyText(facts) };
  return { name: 'certificates.h', content: cHeader(`Certificates of ${facts.name}. Holds a private key.`, texts) };
}

const arduino: Recipe = {
  name: 'arduino',
  title: 'Arduino with PubSubClient (ESP32 and ESP8266)',
  files: facts => [
    {
      name: 'arduino.ino',
      content: `#if defined(ESP8266)
#include <ESP8266WiFi.h>
#include <time.h>
#else
#include <WiFi.h>
#endif
#include <WiFiClientSecure.h>
#include <PubSubClient.h>
#include "certificates.h"

const char *ssid = "YOUR-WIFI";
const char *wifiPassword = "YOUR-WIFI-PASSWORD";

WiFiClientSecure tls;
PubSubClient mqtt(tls);

#if defined(ESP8266)
BearSSL::X509List ca(ca_pem);
BearSSL::X509List certificate(certificate_pem);
BearSSL::PrivateKey key(key_pem);
#endif

void trust() {
#if defined(ESP8266)
  tls.setTrustAnchors(&ca);
  ${facts.key?.asymmetricKeyType === 'rsa' ? 'tls.setClientRSACert(&certificate, &key);' : 'tls.setClientECCert(&certificate, &key, BR_KEYTYPE_SIGN, BR_KEYTYPE_EC);'}
#else
  tls.setCACert(ca_pem);
  tls.setCertificate(certificate_pem);
  tls.setPrivateKey(key_pem);
#endif
}

void setup() {
  Serial.begin(115200);
  WiFi.begin(ssid, wifiPassword);
  while (WiFi.status() != WL_CONNECTED) delay(200);
  // Certificates have dates: without the time none of them is valid yet.
  configTime(0, 0, "pool.ntp.org");
  while (time(nullptr) < 1700000000) delay(200);
  trust();
  // If your core compares names only, connect to "${facts.serverName}" here.
  mqtt.setServer("${facts.host}", ${facts.port});
}

void loop() {
  if (!mqtt.connected() && mqtt.connect("${facts.name}")) mqtt.publish("${facts.topic}", "hello");
  mqtt.loop();
  delay(100);
}
`,
    },
    certificatesHeader(facts),
  ],
  tryIt: () => 'Open arduino/arduino.ino in the Arduino IDE, set your WiFi in it, press Upload.',
};

const espHome: Recipe = {
  name: 'esphome',
  title: 'ESPHome (ESP32 with the ESP-IDF framework)',
  files: facts => [
    {
      name: `${facts.name}.yaml`,
      content: `# Put this section into the device's YAML.
mqtt:
  broker: ${facts.serverName}
  port: ${facts.port}
  client_id: ${facts.name}
  topic_prefix: ${facts.topic.replace(/\/[^/]*$/, '')}
  discovery: false
  certificate_authority: |
${indented(facts.ca.toString())}
  client_certificate: |
${indented(leafPem(facts))}
  client_certificate_key: |
${indented(keyText(facts))}
`,
    },
  ],
  tryIt: ({ name }) => `esphome run ${name}.yaml`,
};

function indented(text: string): string {
  return text
    .trimEnd()
    .split('\n')
    .map(line => `    ${line}`)
    .join('\n');
}

const tasmota: Recipe = {
  name: 'tasmota',
  title: 'Tasmota (a build with USE_MQTT_TLS)',
  files: facts => [
    {
      name: 'backlog.txt',
      content: `# Paste this line into the console of the device. The first fingerprint is that of the broker's RSA key, the second
# (for ESP32) that of its P-256 key; they stay the same when the broker renews its certificates.

${backlog(facts)}

${ownCertificate(facts)}
# Every other build logs in by user name and password. Give the device a password with
#   zancudo passwd HOME/passwords ${facts.name}
# and add to the line above:  ; MqttUser ${facts.name}; MqttPassword THE-PASSWORD
`,
    },
  ],
  tryIt: () => 'Paste the Backlog line of tasmota/backlog.txt into the console of the device.',
};

function backlog({ host, port, name, topic, tasmota: { rsa, ec } }: KitFacts): string {
  const prefix = topic.split('/').slice(0, -2).join('/');
  const fullTopic = `${prefix === '' ? '' : `${prefix}/`}%topic%/%prefix%/`;
  return `Backlog MqttHost ${host}; MqttPort ${port}; SetOption103 1; SetOption132 1; MqttFingerprint1 ${rsa}; MqttFingerprint2 ${ec}; MqttClient ${name}; Topic ${name}; FullTopic ${fullTopic}`;
}

/** Tasmota keeps a bare P-256 key of 32 bytes. */
function ownCertificate({ key, certificate }: KitFacts): string {
  const { d } = key?.asymmetricKeyType === 'ec' ? key.export({ format: 'jwk' }) : {};
  if (d === undefined) return '# Its own certificate Tasmota can only use with a P-256 key.';
  return `# A build with USE_MQTT_AWS_IOT takes the certificate of the device itself:

TLSKey1 ${Buffer.from(d, 'base64url').toString('base64')}
TLSKey2 ${certificate.raw.toString('base64')}
`;
}

export const deviceRecipes: readonly Recipe[] = [mongooseOs, espIdf, arduino, espHome, tasmota];
