/** A message as it travels in cells: expiry, topic, client, user name, port, qos, retain, properties. */
import type { StoredMessage, StoredPublisher } from '../broker/ports.ts';
import { qosOf } from './columns.ts';
import type { Cell } from './protocol.ts';

/** The columns of base_msgs, under NUMERIC affinity those that are cast. */
export const messageColumns = `expiry_time, CAST(topic AS TEXT), CAST(source_id AS TEXT), CAST(source_username AS TEXT),
  source_port, b.qos, b.retain, CAST(properties AS TEXT)`;

/** Null when it makes no sense. */
export function messageFromCells(
  cells: readonly Cell[],
  start: number,
  payload: Buffer,
  propertiesFromJson: (text: string) => Buffer,
): StoredMessage | null {
  const topicName = cells[start + 1];
  if (typeof topicName !== 'string' || topicName === '') return null;
  const properties = cells[start + 7];
  return {
    topicName,
    payload,
    properties: typeof properties === 'string' ? propertiesFromJson(properties) : NO_BYTES,
    qos: qosOf(cells[start + 5]),
    retain: cells[start + 6] === 1,
    expiresAt: number(cells[start]),
    publisher: publisherOf(cells[start + 2], cells[start + 3], cells[start + 4]),
  };
}

const NO_BYTES = Buffer.alloc(0);

/** Mosquitto writes an empty client identifier for messages of its own. */
function publisherOf(
  source: Cell | undefined,
  username: Cell | undefined,
  port: Cell | undefined,
): StoredPublisher | null {
  if (typeof source !== 'string' || (source === '' && typeof username !== 'string' && number(port) === 0)) return null;
  const name = typeof username === 'string' ? username : null;
  return { clientId: source, username: name, listener: { port: number(port) } };
}

export function number(cell: Cell | undefined): number {
  return typeof cell === 'number' ? cell : 0;
}
