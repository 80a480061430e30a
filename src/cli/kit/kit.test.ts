import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { before, describe, test } from 'node:test';
import { diskRegistryStore, makeKey, withRegistry } from '../../pki/mod.ts';
import type { KitFacts } from './facts.ts';
import { kitFiles, recipes } from './kit.ts';
import { tasmotaFingerprint } from './tasmota-fingerprint.ts';

describe('A kit', () => {
  let facts: KitFacts;
  let files: Map<string, string | Buffer>;
  const text = (name: string): string => String(files.get(name));

  before(async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'zancudo-kit-'));
    const key = await makeKey('ec');
    const home = { folder: path.join(folder, 'home'), store: diskRegistryStore, now: Date.now() };
    facts = await withRegistry(
      home,
      async registry => {
        const lamp = { name: 'lamp', profile: 'device' as const, key, template: 'device' };
        const [certificate] = await registry.issueClients([lamp]);
        return {
          name: 'lamp',
          host: '192.168.1.20',
          serverName: 'broker',
          port: 8883,
          ca: registry.authority.root,
          certificate: certificate!,
          issuing: registry.authority.issuer.certificate,
          key,
          topic: 'devices/lamp/hello',
          password: 'secret',
          tasmota: { rsa: 'AA', ec: 'BB' },
        };
      },
      { create: true },
    );
    files = new Map(kitFiles(facts).map(({ name, content }) => [name, content]));
    fs.rmSync(folder, { recursive: true });
  });

  test('has settings for every kind of device and program, and a line to try each', () => {
    for (const recipe of recipes) {
      assert.ok([...files.keys()].some(name => name.startsWith(`${recipe.name}/`)), recipe.name);
      assert.ok(text('README.txt').includes(recipe.tryIt(facts)), recipe.name);
    }
    const kinds = 'mongoose-os esp-idf arduino esphome tasmota home-assistant zigbee2mqtt node-red mosquitto paho-python paho-java mqttjs';
    assert.deepEqual(recipes.map(each => each.name), kinds.split(' '));
  }); // prettier-ignore

  test('says host, port and name in every setting that connects', () => {
    for (const [name, content] of files) {
      if (!name.includes('/') || /fs\/|\.h$|steps/.test(name)) continue;
      assert.match(String(content), /192\.168\.1\.20|broker: broker/, name);
      assert.match(String(content), /8883/, name);
    }
  });

  test('holds one key and certificate, the same in all its forms', () => {
    const key = createPrivateKey(text('lamp.key'));
    const leaf = new X509Certificate(text('lamp.crt'));
    assert.ok(leaf.checkPrivateKey(key));
    assert.ok(new X509Certificate(files.get('lamp.der') as Buffer).checkPrivateKey(key));
    assert.ok(
      leaf.checkPrivateKey(
        createPrivateKey({ key: files.get('lamp.key.der') as Buffer, format: 'der', type: 'pkcs8' }),
      ),
    );
    assert.equal(text('mongoose-os/fs/lamp.key'), text('lamp.key'));
    assert.equal(new X509Certificate(text('mongoose-os/fs/lamp.crt')).fingerprint256, leaf.fingerprint256);
  });

  test('configures Mongoose OS with the keys of its schema', () => {
    assert.match(text('mongoose-os/mos.yml'), /\["mqtt\.server", "192\.168\.1\.20:8883"\]/);
    for (const [key, file] of [['ca_cert', 'ca.crt'], ['cert', 'lamp.crt'], ['key', 'lamp.key']] as const) {
      assert.ok(text('mongoose-os/mos.yml').includes(`["mqtt.ssl_${key}", "${file}"]`));
      assert.ok(files.has(`mongoose-os/fs/${file}`));
    }
  }); // prettier-ignore

  test('gives Tasmota the bare key that belongs to the certificate', () => {
    const [, d = ''] = /^TLSKey1 (\S+)$/m.exec(text('tasmota/backlog.txt')) ?? [];
    const { x, y } = facts.certificate.publicKey.export({ format: 'jwk' });
    const bare = Buffer.from(d, 'base64');
    assert.equal(bare.length, 32);
    const whole = createPrivateKey({
      format: 'jwk',
      key: { kty: 'EC', crv: 'P-256', x: x!, y: y!, d: bare.toString('base64url') },
    });
    assert.ok(facts.certificate.checkPrivateKey(whole));
    assert.match(text('tasmota/backlog.txt'), /^Backlog MqttHost 192\.168\.1\.20; MqttPort 8883; SetOption103 1;/m);
  });

  test('has code that its languages can read', t => {
    JSON.parse(text('node-red/flow.json'));
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'zancudo-kit-'));
    t.after(() => fs.rmSync(folder, { recursive: true }));
    for (const name of ['certificates.h', 'paho-python/publish.py', 'mqttjs/publish.mjs']) {
      fs.writeFileSync(path.join(folder, path.basename(name)), text(name));
    }
    const checks: [string, string[]][] = [
      ['gcc', ['-fsyntax-only', '-Wno-unused', '-Wno-pragma-once-outside-header', 'certificates.h']],
      ['python3', ['-m', 'py_compile', 'publish.py']],
      [process.execPath, ['--check', 'publish.mjs']],
    ];
    for (const [program, args] of checks) {
      const { error, status, stderr } = spawnSync(program, args, { cwd: folder, encoding: 'utf8' });
      if (error === undefined) assert.equal(status, 0, stderr);
      else t.diagnostic(`${program} is not installed`);
    }
  });

  test('of a renewal holds no key and nothing that would need one', () => {
    const names = kitFiles({ ...facts, key: null }).map(each => each.name);
    assert.deepEqual(names.sort(), ['ca.crt', 'lamp.crt', 'lamp.der']);
  });
});

test("Tasmota's fingerprint is SHA-1 over length-prefixed parts of the public key", () => {
  const key = createPublicKey({
    format: 'jwk',
    key: { kty: 'RSA', n: Buffer.from('c3a1b7', 'hex').toString('base64url'), e: 'AQAB' },
  });
  // printf '\0\0\0\7ssh-rsa\0\0\0\3\1\0\1\0\0\0\3\303\241\267' | sha1sum
  assert.equal(tasmotaFingerprint(key), 'C2 04 66 0F C7 92 4B AE B5 FC E4 C6 8C 97 F2 0A 79 1F B6 B4');
});
