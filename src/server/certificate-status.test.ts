import assert from 'node:assert/strict';
import test from 'node:test';
import { eachOnce } from './certificate-status.ts';

const certificate = (kind: string, of: string, subject: string, ends = 2) => ({ kind, of, subject, file: kind, ends });

test('a CA in the chain and in the cafile of two listeners is one certificate', () => {
  const told = eachOnce([
    certificate('certificate', 'port 8883', 'CN=box', 1),
    certificate('certificate', 'port 8883', 'CN=CA'),
    certificate('ca', 'port 8883', 'CN=CA'),
    certificate('certificate', 'port 8884', 'CN=CA'),
    certificate('revocation-list', 'port 8883', 'CN=CA'),
    certificate('ca', 'port 8883', 'CN=CA', 9),
  ]);
  assert.deepEqual(told, [
    certificate('certificate', 'port 8883', 'CN=box', 1),
    certificate('ca', 'port 8883, port 8884', 'CN=CA'),
    certificate('revocation-list', 'port 8883', 'CN=CA'),
    certificate('ca', 'port 8883', 'CN=CA', 9),
  ]);
});
