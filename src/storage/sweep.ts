/**
 * What another broker, or a repair, may leave in the file: rows that point to nothing, identifiers that our numbers
 * cannot hold, ends of sessions that nobody meant (docs/compat/persist-sqlite.md, 8). Our own transactions leave none.
 */
import type { DatabaseSync } from 'node:sqlite';
import { idsMax } from './read-state.ts';
import { recountUses } from './uses.ts';

/** Changes whenever a table or index is made, which Mosquitto does at each of its starts and we only once. */
export function schemaCookie(db: DatabaseSync): number {
  return Number(db.prepare('PRAGMA schema_version').get()?.['schema_version']);
}

export function rememberedCookie(db: DatabaseSync): number | null {
  const row = db.prepare(`SELECT value FROM zancudo_state WHERE key = 'schema_cookie'`).get();
  return row === undefined ? null : Number(row['value']);
}

/** Nobody but us has had the file in hand, as far as the next start can tell. */
export function rememberCookie(db: DatabaseSync): void {
  db.prepare(`INSERT OR REPLACE INTO zancudo_state VALUES ('schema_cookie', ?)`).run(schemaCookie(db));
}

const isOurKind = `typeof(store_id) = 'integer' AND store_id BETWEEN 1 AND ${idsMax}`;

/** Messages of a Mosquitto with a node number have identifiers beyond 2^53: they get new ones below. */
const renumbering = `
CREATE TEMP TABLE renumbered AS
  SELECT store_id AS old, row_number() OVER (ORDER BY store_id)
    + (SELECT coalesce(max(store_id), 0) FROM base_msgs WHERE ${isOurKind}) AS new
  FROM base_msgs WHERE typeof(store_id) = 'integer' AND NOT (${isOurKind});
UPDATE client_msgs SET store_id = r.new FROM renumbered r WHERE store_id = r.old;
UPDATE retains SET store_id = r.new FROM renumbered r WHERE store_id = r.old;
UPDATE base_msgs SET store_id = r.new FROM renumbered r WHERE store_id = r.old;
DROP TABLE renumbered;
`;

const withoutUse: { what: string; sql: string }[] = [
  { what: 'messages without an identifier', sql: `DELETE FROM base_msgs WHERE NOT (${isOurKind})` },
  {
    what: 'retained topics whose message is missing',
    sql: 'DELETE FROM retains WHERE store_id IS NULL OR store_id NOT IN (SELECT store_id FROM base_msgs)',
  },
  {
    what: 'waiting messages whose client or content is missing',
    sql: `DELETE FROM client_msgs WHERE store_id IS NULL OR store_id NOT IN (SELECT store_id FROM base_msgs)
      OR client_id NOT IN (SELECT client_id FROM clients)`,
  },
  {
    what: 'subscriptions whose client is missing',
    sql: 'DELETE FROM subscriptions WHERE client_id NOT IN (SELECT client_id FROM clients)',
  },
];

/**
 * Ours to rely on: what is queued says so in its state, which Mosquitto does not read, and knows its payload's bytes
 * (schema.ts).
 */
const ownWays = `
UPDATE client_msgs SET state = 7 WHERE direction = 0;
UPDATE client_msgs SET state = 11 WHERE direction = 1 AND (mid = 0 OR qos = 0 OR state IS NULL);
UPDATE client_msgs SET cmsg_id = (SELECT coalesce(length(CAST(payload AS BLOB)), 0) FROM base_msgs b WHERE b.store_id = client_msgs.store_id);
`;

/** Nobody misses these: they only add to rows that are gone. */
const additions = [
  `DELETE FROM zancudo_exchanges WHERE store_id NOT IN (SELECT store_id FROM base_msgs)
    OR client_id NOT IN (SELECT client_id FROM clients)`,
  `DELETE FROM zancudo_mount_points WHERE (client_id, topic) NOT IN (SELECT client_id, topic FROM subscriptions)`,
  `DELETE FROM zancudo_sessions WHERE client_id NOT IN (SELECT client_id FROM clients)
    AND client_id NOT IN (SELECT client_id FROM wills)`,
  `DELETE FROM base_msgs WHERE store_id NOT IN (SELECT store_id FROM client_msgs)
    AND store_id NOT IN (SELECT store_id FROM retains) AND store_id NOT IN (SELECT store_id FROM zancudo_exchanges)`,
];

/**
 * Returns a line for everything that was removed. `wall` is given when another broker has written: it does not take
 * the end of a session back when its client returns, so a past end may be that of a client which was connected. It
 * counts as if the client had left now.
 */
export function sweep(db: DatabaseSync, wall: number | null): string[] {
  const remarks: string[] = [];
  db.exec('BEGIN IMMEDIATE');
  db.exec(renumbering);
  for (const { what, sql } of withoutUse) {
    const { changes } = db.prepare(sql).run();
    if (Number(changes) > 0) remarks.push(`  ${changes} ${what}: removed.`);
  }
  for (const sql of additions) db.exec(sql);
  db.exec(ownWays);
  db.exec(recountUses);
  if (wall !== null) {
    const endsPassed = 'UPDATE clients SET session_expiry_time = 0 WHERE session_expiry_time BETWEEN 1 AND ?';
    db.prepare(endsPassed).run(Math.floor(wall / 1000));
  }
  db.exec('COMMIT');
  return remarks;
}
