import assert from 'node:assert/strict';
import { test } from 'node:test';
import { qrCode } from './qr.ts';
import { qrLines } from './qr-terminal.ts';

test('every module of the code stands where it belongs, in a frame of white', () => {
  const text = 'https://broker.local:8883/kit/k7w2abc-9mfe3xq-p4t8hnd-2zrvu6s';
  const modules = qrCode(text);
  const rows = qrLines(text, false).flatMap(line => [
    [...line].map(each => each === '█' || each === '▀'),
    [...line].map(each => each === '█' || each === '▄'),
  ]);
  for (const [y, row] of rows.entries()) {
    for (const [x, light] of row.entries()) assert.equal(light, modules[y - 4]?.[x - 4] !== true, `${x},${y}`);
  }
  assert.ok(rows.length >= modules.length + 8);
});
