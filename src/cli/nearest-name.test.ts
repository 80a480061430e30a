import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearestName } from './nearest-name.ts';

test('the nearest name is found when few letters are wrong, and none otherwise', () => {
  const names = ['broker', '--config-file', '-c'];
  assert.equal(nearestName('brokr', names), 'broker');
  assert.equal(nearestName('BROKER', names), 'broker');
  assert.equal(nearestName('--conf-file', names), '--config-file');
  assert.equal(nearestName('xyz', names), null);
  assert.equal(nearestName('', names), null);
});
