import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recognise } from './first-bytes.ts';
import { firstCommonName, rfc2253 } from './peer-certificate.ts';
import { TLS_ERRORS, meaningOf, opensslText } from './tls-errors.ts';

const SUBJECTS: [string, string, string | null][] = [
  ['O=Org\nCN=alice', 'CN=alice,O=Org', 'alice'],
  ['CN=first\nCN=second', 'CN=second,CN=first', 'first'],
  ['O=A\\, B\nCN=a\\+b \\"c\\"', 'CN=a\\+b \\"c\\",O=A\\, B', 'a+b "c"'],
  ['CN=niña', 'CN=ni\\C3\\B1a', 'niña'],
  ['O=Org + CN=carol', 'CN=carol+O=Org', 'carol'],
  ['CN=tab\\09end', 'CN=tab\\09end', 'tab\tend'],
  ['CN=nul\\00end', 'CN=nul\\00end', null],
  ['CN=bad\\FFend', 'CN=bad\\FFend', null],
  ['O=Org', 'O=Org', null],
  ['', '', null],
];

for (const [subject, text, name] of SUBJECTS) {
  test(`subject ${JSON.stringify(subject)} reads ${JSON.stringify(text)}, its common name is ${JSON.stringify(name)}`, () => {
    assert.equal(rfc2253(subject), text);
    assert.equal(firstCommonName(subject), name);
  });
}

test('one byte is enough to tell what a peer speaks', () => {
  const spoken = (bytes: string): string => recognise(Buffer.from(bytes, 'latin1'));
  assert.equal(spoken('\x16'), 'tls');
  assert.equal(spoken('\x10\x0c'), 'mqtt');
  assert.equal(spoken('G'), 'http');
  assert.equal(spoken('OPTIONS * HTTP/1.1'), 'http');
  assert.equal(spoken('PROXY TCP4'), 'unknown');
  assert.equal(spoken('SSH-2.0'), 'unknown');
});

test('an OpenSSL error reads as mosquitto prints it, whatever function it came from', () => {
  const message =
    '40ADA17C097F0000:error:0A000418:SSL routines:ssl3_read_bytes:tlsv1 alert unknown ca:../ssl/record/rec_layer_s3.c:918:SSL alert number 48\n';
  assert.equal(opensslText(new Error(message)), 'error:0A000418:SSL routines::tlsv1 alert unknown ca');
  assert.equal(opensslText(new Error('something else')), 'something else');
});

test('the names of Node 20 and of Node 24 for one alert mean the same', () => {
  const old = meaningOf('ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED');
  assert.equal(meaningOf('ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_EXPIRED'), old);
});

test('every meaning is a sentence with a remedy, and what nobody foresaw still has words', () => {
  for (const { means, remedy } of [...TLS_ERRORS, meaningOf('ERR_SSL_UNHEARD_OF')]) {
    assert.match(means, /\.$/);
    assert.match(remedy, /\.$/);
  }
});
