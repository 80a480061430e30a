import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { diskStore } from '../key-store.ts';
import { temporaryFolder } from '../shared.test.ts';
import { leaveParcel, lookAtParcel, sweepParcels, takeParcel } from './parcel.ts';

const now = Date.now();
const parcel = { name: 'lamp', until: now + 3_600_000 };
const content = Buffer.from('-----BEGIN PRIVATE KEY-----');

function left(t: TestContext): { home: string; token: string; files: () => string[]; first: () => string } {
  const home = temporaryFolder(t);
  const token = leaveParcel(home, diskStore, parcel, content);
  const files = (): string[] => fs.readdirSync(path.join(home, 'parcels'));
  return { home, token, files, first: () => path.join(home, 'parcels', files()[0] ?? '') };
}

test('a parcel is looked at as often as one likes and taken once', t => {
  const { home, token, files } = left(t);
  assert.deepEqual([lookAtParcel(home, token, now), lookAtParcel(home, token, now)], [parcel, parcel]);
  const taken = takeParcel(home, token, now)!;
  assert.deepEqual(taken.content, content);
  assert.equal(takeParcel(home, token, now), null);
  assert.equal(lookAtParcel(home, token, now), null);
  taken.done();
  assert.deepEqual(files(), []);
});

test('one that did not get through may be taken again', t => {
  const { home, token } = left(t);
  takeParcel(home, token, now)!.putBack();
  assert.deepEqual(takeParcel(home, token, now)?.content, content);
});

test('the file is for its owner alone, and holds neither the content nor the token', t => {
  const { token, first } = left(t);
  assert.equal(fs.statSync(first()).mode & 0o777, 0o600);
  const text = `${first()} ${fs.readFileSync(first(), 'utf8')}`;
  for (const secret of [token, token.replaceAll('-', ''), content.toString('base64')])
    assert.ok(!text.includes(secret));
});

test('a file that was changed opens for nobody', t => {
  const { home, token, first } = left(t);
  fs.writeFileSync(first(), fs.readFileSync(first(), 'utf8').replace('lamp', 'door'));
  assert.equal(takeParcel(home, token, now), null);
});

test('after its time it is given to nobody, and swept away; others stay', t => {
  const { home, token, files } = left(t);
  const longer = leaveParcel(home, diskStore, { ...parcel, until: now + 7_200_000 }, content);
  const later = parcel.until + 1;
  assert.equal(takeParcel(home, token, later), null);
  sweepParcels(home, later);
  assert.equal(files().length, 1);
  assert.deepEqual(takeParcel(home, longer, later)?.content, content);
});

test('what is no token leads to no file', t => {
  const { home } = left(t);
  for (const bad of ['', '..', '../../ca.crt', 'x'.repeat(5000), 'ñ', '\0'])
    assert.equal(takeParcel(home, bad, now), null);
});
