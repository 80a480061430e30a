import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PkiError } from '../pki-error.ts';
import { checkRange, isInRange } from './address-range.ts';

test('a range holds its addresses and no others, in both families', () => {
  const rows: [range: string, address: string, inside: boolean][] = [
    ['192.168.1.0/24', '192.168.1.255', true],
    ['192.168.1.0/24', '192.168.2.0', false],
    ['192.168.1.0/24', '::ffff:192.168.1.9', true],
    ['192.168.1.77', '192.168.1.77', true],
    ['192.168.1.77', '192.168.1.78', false],
    ['0.0.0.0/0', '8.8.8.8', true],
    ['fd00::/8', 'fdab::1', true],
    ['fe80::/10', 'fe80::1%eth0', true],
    ['fd00::/8', '192.168.1.1', false],
    ['0.0.0.0/0', 'unix.sock', false],
  ];
  for (const [range, address, inside] of rows) assert.equal(isInRange(checkRange(range), address), inside, `${range} ${address}`); // prettier-ignore
});

test('what is no range is refused with an example', () => {
  for (const bad of [
    '',
    'lan',
    '192.168.1.0/33',
    '192.168.1/24',
    'fd00::/129',
    '10.0.0.0/8/8',
    '10.0.0.0/',
    'fe80::1%1',
  ]) {
    assert.throws(() => checkRange(bad), (error: unknown) => error instanceof PkiError && /192\.168\.1\.0\/24/.test(error.finding.remedy[0] ?? ''), bad); // prettier-ignore
  }
});
