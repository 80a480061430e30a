import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { objectionToStaple } from './ocsp.ts';

const skip = spawnSync('openssl', ['version']).status !== 0 && 'missing here: openssl (Debian package openssl)';
const DAY_MS = 86_400_000;

/** An answer of OpenSSL that is good for two days. */
const script = `set -e
openssl req -x509 -newkey rsa:2048 -nodes -days 30 -keyout ca.key -out ca.crt -subj /CN=CA
openssl req -new -newkey rsa:2048 -nodes -keyout s.key -out s.csr -subj /CN=s
openssl x509 -req -in s.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -out s.crt
printf 'V\\t351231000000Z\\t\\t%s\\tunknown\\t/CN=s\\n' $(openssl x509 -in s.crt -noout -serial | cut -d= -f2) > index
openssl ocsp -issuer ca.crt -cert s.crt -reqout q.der
openssl ocsp -index index -CA ca.crt -rsigner ca.crt -rkey ca.key -reqin q.der -respout a.der -ndays 2`;

test('a staple counts for its certificate, in its time, as it was signed', { skip }, t => {
  const folder = mkdtempSync(join(tmpdir(), 'zancudo-ocsp-'));
  t.after(() => rmSync(folder, { recursive: true }));
  execFileSync('/bin/sh', ['-c', script], { cwd: folder, stdio: 'ignore' });
  const read = (name: string): Buffer => readFileSync(join(folder, name));
  const [ca, leaf, staple] = [new X509Certificate(read('ca.crt')), new X509Certificate(read('s.crt')), read('a.der')];
  const now = Date.now();
  assert.equal(objectionToStaple(staple, leaf, ca, now), null);
  assert.match(objectionToStaple(staple, leaf, ca, now + 3 * DAY_MS) ?? '', /too old: it was good until 20/);
  assert.match(objectionToStaple(staple, leaf, ca, now - DAY_MS) ?? '', /from the future/);
  assert.match(objectionToStaple(staple, ca, ca, now) ?? '', /about another certificate/);
  assert.match(objectionToStaple(Buffer.from([0x30, 3, 0x0a, 1, 3]), leaf, ca, now) ?? '', /no answer \(try later\)/);
  // Whatever is cut off or changed is an objection, never a yes and never a crash.
  const accepted: number[] = [];
  for (let at = 0; at < staple.length; at++) {
    const changed = Buffer.from(staple);
    changed[at]! ^= 0x21;
    for (const bytes of [changed, staple.subarray(0, at)]) {
      const objection = objectionToStaple(bytes, leaf, ca, now);
      if (objection === null) accepted.push(at);
    }
  }
  // Parameters of the algorithm, unused bits of the signature, and certificates that are not needed here may be anything.
  const certificates = staple.indexOf(ca.raw) - 12;
  assert.ok(
    accepted.filter(at => at < certificates).length <= 2,
    `changed and accepted: ${accepted.slice(0, 9).join(' ')}`,
  );
});
