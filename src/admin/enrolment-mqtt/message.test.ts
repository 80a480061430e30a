import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readEnrolmentMessage } from './message.ts';

const PEM = '-----BEGIN CERTIFICATE REQUEST-----\nMIHG\n-----END CERTIFICATE REQUEST-----\n';

test('a request is taken as JSON, as PEM and as DER', () => {
  const token = 'k7w2abc';
  assert.deepEqual(readEnrolmentMessage(Buffer.from(JSON.stringify({ csr: PEM, token }))), {
    request: Buffer.from(PEM),
    token,
  });
  for (const payload of [Buffer.from(PEM), Buffer.of(0x30, 0x81, 0xc6)]) {
    assert.deepEqual(readEnrolmentMessage(payload), { request: payload, token: null });
  }
});

test('what is wrong with a payload is said', () => {
  const wrong: [string, RegExp][] = [
    ['', /empty/],
    ['hello', /neither JSON nor a certificate request/],
    ['null', /neither JSON/],
    ['{}', /"csr" is missing/],
    ['{"csr": 1}', /"csr" is missing/],
    ['{"csr": "x", "token": 1}', /"token" is no string/],
  ];
  for (const [payload, says] of wrong) assert.match(readEnrolmentMessage(Buffer.from(payload)) as string, says);
});

test('no payload is too odd to be answered', () => {
  const anything = fc.oneof(
    fc.uint8Array(),
    fc.json().map(text => Buffer.from(text)),
  );
  fc.assert(
    fc.property(anything, bytes => {
      const message = readEnrolmentMessage(Buffer.from(bytes));
      return typeof message === 'string' || message.request.length > 0 || message.token === null;
    }),
  );
});
