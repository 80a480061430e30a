import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import test from 'node:test';
import fc from 'fast-check';
import { forStringColumn, survivesNumericAffinity } from './affinity.ts';

const nearNumbers = fc.stringMatching(/^[ \t]?[+-]?[0-9]{0,20}[.]?[0-9]{0,18}([eE][+-]?[0-9]{0,3})?[ x/]?$/);

test('whatever text goes into a column that Mosquitto calls STRING comes out as it was', () => {
  const db = new DatabaseSync(':memory:');
  db.exec('CREATE TABLE t (topic STRING)');
  const insert = db.prepare('INSERT INTO t VALUES (?)');
  const read = db.prepare('SELECT CAST(topic AS TEXT) AS topic FROM t');
  const roundTrip = (text: string): unknown => {
    insert.run(forStringColumn(text));
    const row = read.get();
    db.exec('DELETE FROM t');
    return row!['topic'];
  };
  fc.assert(
    fc.property(fc.oneof(nearNumbers, fc.string({ minLength: 1 })), text => assert.equal(roundTrip(text), text)),
    { numRuns: 3000 },
  );
  db.close();
});

test('plain integers, plain decimals and all that is no number stay text, so that Mosquitto finds its rows', () => {
  for (const text of ['7', '1883', '-5', '21.5', '0.25', 'a/7', '0x10', '12abc', 'inf']) {
    assert.equal(survivesNumericAffinity(text), true, text);
  }
});
