/** bridge_require_ocsp: the staple is OpenSSL's work, as responder and as server; only the judgement is ours. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createServer } from 'node:tls';
import { makeCertificates, needs, run, temporaryDirectory } from '../harness/mod.ts';
import { side, watch, type Side } from './sides.ts';

/** `$1` names the answer; `$2` the state of the certificate in the CA's index; `$3` who signs; the rest goes to openssl. */
const answer = `set -e
name=$1 state=$2 signer=$3; shift 3
serial=$(openssl x509 -in server.crt -noout -serial | cut -d= -f2)
ends=351231000000Z; revoked=; [ $state = R ] && revoked=260101000000Z
printf '%s\\t%s\\t%s\\t%s\\tunknown\\t/CN=localhost\\n' $state $ends "$revoked" $serial > index.txt
openssl ocsp -issuer ca.crt -cert server.crt -reqout request.der
openssl ocsp -index index.txt -CA ca.crt -rsigner $signer.crt -rkey $signer.key -reqin request.der -respout $name.der "$@"`;

/** A responder with a certificate for it, one without, and another CA that answers for ours. */
const responders = `set -e
key="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
for name in responder client2; do
  openssl req -new $key -keyout $name.key -out $name.csr -subj "/CN=$name"
  [ $name = responder ] && echo extendedKeyUsage=OCSPSigning > $name.ext || echo extendedKeyUsage=clientAuth > $name.ext
  openssl x509 -req -in $name.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -extfile $name.ext -out $name.crt
done
openssl req -x509 $key -days 30 -keyout stranger.key -out stranger.crt -subj "/CN=Stranger"`;

async function openssl(directory: string, script: string, ...args: string[]): Promise<void> {
  const { code, output } = await run('/bin/sh', ['-c', script, 'sh', ...args], { cwd: directory });
  assert.equal(code, 0, output);
}

/** TLS in front of a broker, with whatever is in `staple` stapled to the certificate. */
async function tlsFront(
  t: TestContext,
  directory: string,
  there: Side,
): Promise<{ port: number; staple: string | null }> {
  const read = (name: string): Buffer => readFileSync(join(directory, name));
  const front = { port: 0, staple: null as string | null };
  const server = createServer({ cert: read('server.crt'), key: read('server.key') }, socket => {
    const far = connect(there.port, '127.0.0.1');
    socket.pipe(far).pipe(socket);
    for (const end of [socket, far]) end.on('error', () => (socket.destroy(), far.destroy()));
  });
  server.on('OCSPRequest', (_certificate, _issuer, answer: (error: Error | null, staple: Buffer) => void) =>
    answer(null, front.staple === null ? (null as unknown as Buffer) : read(`${front.staple}.der`)),
  );
  server.on('tlsClientError', () => undefined);
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  front.port = (server.address() as { port: number }).port;
  return front;
}

test(
  'bridge_require_ocsp lets nobody pass whose CA does not say, freshly and signed, that the certificate is good',
  needs('openssl'),
  async t => {
    const place = temporaryDirectory();
    t.after(() => place.remove());
    await makeCertificates(place.path);
    await openssl(place.path, responders);
    const answers: [name: string, state: string, signer: string, ...rest: string[]][] = [
      ['by-ca', 'V', 'ca'],
      ['by-responder', 'V', 'responder', '-ndays', '2'],
      ['revoked', 'R', 'ca'],
      ['no-responder', 'V', 'client2'],
      ['stranger', 'V', 'stranger'],
      ['old', 'V', 'ca', '-nmin', '1'],
    ];
    for (const each of answers) await openssl(place.path, answer, ...each);
    const there = await side(t);
    const front = await tlsFront(t, place.path, there);
    const conf = `connection up\naddress localhost:${front.port}\nbridge_cafile ${place.path}/ca.crt\nbridge_require_ocsp true\nrestart_timeout 1\ntopic # out 1\n`;
    const here = await side(t, { conf: () => conf });
    await here.broker.logged(/not revoked: it has stapled no answer/);
    const refused: [staple: string, line: RegExp][] = [
      ['revoked', /not revoked: it was revoked on 2026-01-01 00:00:00 UTC/],
      ['no-responder', /not revoked: the answer is not signed by the CA of the certificate/],
      ['revoked', /it was revoked/],
      ['stranger', /not revoked: the answer is not signed/],
    ];
    for (const [staple, line] of refused) {
      const from = here.broker.lines.length;
      front.staple = staple;
      await here.broker.logged(line, from);
    }
    assert.doesNotMatch(here.log, /is connected to localhost/);
    const reader = await watch(t, there.port, ['a']);
    const writer = await watch(t, here.port, []);
    await writer.client.publishAsync('a', 'waited', { qos: 1 });
    for (const staple of ['by-ca', 'by-responder']) {
      const from = here.broker.lines.length;
      front.staple = staple;
      await here.broker.logged(/is connected to localhost/, from);
      await reader.has('a', 'waited');
      if (staple === 'by-ca') await there.kill().then(() => there.comeBack());
    }
  },
);
