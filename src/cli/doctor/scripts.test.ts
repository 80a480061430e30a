import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../shared.test.ts';
import { explainScripts } from './scripts.ts';

test('checking that is switched off is found as each language writes it, with its line', t => {
  const folder = temporaryFolder(t);
  const scripts: [name: string, text: string, lines: string | null][] = [
    ['a.sh', '#!/bin/sh\nmosquitto_pub -h b \\\n  --insecure -t x -m y\nzancudo sub --insecure -t z\n', '2,3'],
    ['without-ending', '#!/bin/sh\nmosquitto_sub --cafile ca.crt --insecure -t x\n', '2'],
    ['no-script', 'mosquitto_sub --insecure\n', null],
    ['b.py', 'client.tls_set("ca.crt")\nclient.tls_insecure_set(True)\n', '2'],
    ['c.js', 'connect(url, { rejectUnauthorized: false })\n', '1'],
    ['d.ino', 'net.setInsecure();\n', '1'],
    ['e.sh', 'curl --insecure https://example.org\n', null],
    ['f.sh', 'mosquitto_pub --cafile ca.crt -t x -m insecure\n', null],
  ];
  for (const [name, text, lines] of scripts) {
    const file = join(folder, name);
    writeFileSync(file, text);
    const found = explainScripts([file]).map(each => each.where);
    assert.deepEqual(found, lines === null ? [] : [`${file}:${lines}`]);
  }
});
