/** What is measured, one row each, and what we want to reach beside Mosquitto. */
import type { Setup } from './brokers.ts';

/** Which figure of an outcome the row is about. */
export type Figure = 'cpu' | 'latency' | 'memory';

export interface Cell {
  id: string;
  label: string;
  figure: Figure;
  /** For `zancudo bench`. */
  args: readonly string[];
  /** The same for mqload; null for what it cannot do. */
  mqload: readonly string[] | null;
  setup?: Partial<Setup>;
  /** At most this many times Mosquitto's figure; and what we aim at. */
  most?: number;
  aim?: number;
  /** At most so many bytes for each connection, subscription or message. */
  mostBytes?: number;
  /** aedes has no such thing, or takes minutes. */
  withoutAedes?: true;
}

const words = (text: string): string[] => text.split(' ');
const tls: Partial<Setup> = { tls: true };
/** The same key exchange for both; what ours does with clients that can do more is a row of its own. */
const x25519: Partial<Setup> = { tls: true, groups: 'X25519' };
const aLot: Pick<Cell, 'withoutAedes'> = { withoutAedes: true };

export const cells: readonly Cell[] = [
  { id: 'p2p-q0', label: '10 pairs, QoS 0', figure: 'cpu', args: words('--scenario p2p -q 0'), mqload: words('p2p --pubs 10'), most: 0.25, aim: 0.14 },
  { id: 'p2p-q1', label: '10 pairs, QoS 1', figure: 'cpu', args: words('--scenario p2p -q 1'), mqload: words('p2p --pubs 10 --qos 1'), most: 0.25, aim: 0.14 },
  { id: 'p2p-q2', label: '10 pairs, QoS 2', figure: 'cpu', args: words('--scenario p2p -q 2'), mqload: words('p2p --pubs 10 --qos 2'), most: 0.3, aim: 0.14 },
  { id: 'p2p-1k', label: '10 pairs, 1 kB', figure: 'cpu', args: words('--scenario p2p --size 1024'), mqload: words('p2p --pubs 10 --size 1024'), most: 0.3, aim: 0.2 },
  { id: 'fanout-100', label: '1 to 100', figure: 'cpu', args: words('--scenario fanout --subscribers 100'), mqload: words('fanout --subs 100'), most: 0.2, aim: 0.1 },
  { id: 'fanout-1000', label: '1 to 1000', figure: 'cpu', args: words('--scenario fanout --subscribers 1000'), mqload: words('fanout --subs 1000'), most: 0.35, aim: 0.2 },
  { id: 'fanout-100-q1', label: '1 to 100, QoS 1', figure: 'cpu', args: words('--scenario fanout --subscribers 100 -q 1'), mqload: words('fanout --subs 100 --qos 1'), most: 0.25, aim: 0.15 },
  { id: 'fanin', label: '100 to 1', figure: 'cpu', args: words('--scenario fanin'), mqload: words('fanin --pubs 100'), most: 0.35, aim: 0.2 },
  { id: 'shared', label: 'shared subscription, 8 to 8', figure: 'cpu', args: words('--scenario shared'), mqload: words('shared --pubs 8 --subs 8'), most: 0.35, aim: 0.2 },
  { id: 'tree', label: '100,000 filters', figure: 'cpu', args: words('--scenario tree --filters 100000'), mqload: words('tree --filters 100000'), most: 0.45, aim: 0.3, mostBytes: 300 },
  { id: 'retained', label: '50,000 retained messages to a new subscriber', figure: 'cpu', args: words('--scenario retained --count 50000 -q 0'), mqload: words('retained --count 50000 --qos 0'), most: 0.5, aim: 0.3, mostBytes: 364 },
  { id: 'paced', label: '100 pairs, paced at 40,000/s', figure: 'cpu', args: words('--scenario latency --publishers 100 --rate 40000'), mqload: words('latency --pubs 100 --rate 40000'), most: 0.7, aim: 0.4 },
  { id: 'durable', label: 'durable, 10 pairs, QoS 1, sessions kept', figure: 'cpu', args: words('--scenario p2p -q 1 --persistent'), mqload: null, setup: { durable: true }, most: 1, aim: 0.5, ...aLot },
  { id: 'tls-p2p', label: 'TLS 1.3, 10 pairs', figure: 'cpu', args: words('--scenario p2p'), mqload: words('p2p --pubs 10'), setup: tls, most: 0.5, aim: 0.3 },
  { id: 'tls-fanout', label: 'TLS 1.3, 1 to 100', figure: 'cpu', args: words('--scenario fanout'), mqload: words('fanout --subs 100'), setup: tls, most: 0.35, aim: 0.2 },
  { id: 'latency-1k', label: '1,000/s', figure: 'latency', args: words('--scenario latency --rate 1000'), mqload: words('latency --rate 1000'), most: 1.2 },
  { id: 'latency-10k', label: '10,000/s', figure: 'latency', args: words('--scenario latency --rate 10000'), mqload: words('latency --rate 10000'), most: 1.2 },
  { id: 'tls-latency-1k', label: 'TLS 1.3, 1,000/s', figure: 'latency', args: words('--scenario latency --rate 1000'), mqload: words('latency --rate 1000'), setup: tls, most: 1.2 },
  { id: 'tls-latency-10k', label: 'TLS 1.3, 10,000/s', figure: 'latency', args: words('--scenario latency --rate 10000'), mqload: words('latency --rate 10000'), setup: tls, most: 1.2 },
  { id: 'idle', label: '10,000 idle connections', figure: 'memory', args: words('--scenario idle --connections 10000'), mqload: words('idle --conns 10000'), mostBytes: 3 * 1024 },
  { id: 'tls-idle', label: '10,000 idle connections, TLS 1.3', figure: 'memory', args: words('--scenario idle --connections 10000'), mqload: words('idle --conns 10000'), setup: x25519, mostBytes: 40 * 1024, ...aLot },
  { id: 'tls-idle-pq', label: '10,000 idle connections, TLS 1.3, post-quantum with ours alone', figure: 'memory', args: words('--scenario idle --connections 10000'), mqload: null, setup: tls, ...aLot },
  { id: 'handshakes', label: 'TLS 1.3 handshakes, ECDSA P-256', figure: 'cpu', args: words('--scenario connect'), mqload: words('connect'), setup: x25519, most: 1.4 },
  { id: 'handshakes-rsa', label: 'TLS 1.3 handshakes, RSA 2048', figure: 'cpu', args: words('--scenario connect'), mqload: words('connect'), setup: { ...x25519, rsa: true }, most: 1.4 },
  { id: 'handshakes-resumed', label: 'TLS 1.3 resumed', figure: 'cpu', args: words('--scenario connect --resume'), mqload: words('connect --resume'), setup: x25519 },
  { id: 'handshakes-pq', label: 'TLS 1.3 handshakes, post-quantum with ours alone', figure: 'cpu', args: words('--scenario connect'), mqload: null, setup: tls },
  { id: 'connect', label: 'connect and disconnect', figure: 'cpu', args: words('--scenario connect'), mqload: words('connect') },
]; // prettier-ignore

/** Rows whose name starts with one of the words; all, if there is none. */
export function chosen<Row extends { id: string }>(rows: readonly Row[], only: readonly string[]): Row[] {
  return rows.filter(row => only.length === 0 || only.some(word => row.id.startsWith(word)));
}
