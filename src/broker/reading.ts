/**
 * When a client is not read, and when it is again. Each reason stands for itself; it is read when none is left:
 *
 *   waiting            its CONNECT, its AUTH or the rules for its packet are being looked at elsewhere
 *   pausedBySlowness   it does not read what it asked for
 *   pausedForStore     the disk has too much to do, and this client's share in that is not done
 *   paceTimer          it has published faster than it may
 */
import { Timer } from '../base/mod.ts';
import { aboutConnection } from './about.ts';
import type { Connection } from './connection.ts';

/** Answers that may wait for the store; beyond it the client's requests are not read until half of them are out. */
const ANSWERS_WAITING_MAX = 5000;

/** After a chunk. `changesBefore`: those that the store had been told of before it. */
export function stopReadingIfNeeded(connection: Connection, changesBefore: number): void {
  const { broker, link } = connection;
  const { store } = broker;
  if (link.pendingBytes > broker.settings.maxLinkBufferBytes) waitForSlowPeer(connection);
  if (connection.answersWaiting > ANSWERS_WAITING_MAX) waitForStore(connection);
  else if (store.overloaded && store.changes !== changesBefore) waitForDisk(connection);
}

/** The peer does not read what it asked for: we do not read what else it asks for until it does. */
function waitForSlowPeer(connection: Connection): void {
  const { broker, link } = connection;
  if (!link.blocked) link.flush();
  if (!link.blocked || connection.pausedBySlowness) return;
  connection.pausedBySlowness = true;
  broker.meter.slowLinksPaused++;
  const text = `Client ${connection.clientId} does not read what it asked for (${link.pendingBytes} bytes wait); its requests are not read until it does.`;
  broker.log.write('notice', text, aboutConnection('client.too-slow', connection));
  link.pause();
}

/** The kernel has taken everything. */
export function peerReads(connection: Connection): void {
  if (!connection.pausedBySlowness) return;
  connection.pausedBySlowness = false;
  resumeReading(connection);
}

/** A disk that does not keep up must not fill the memory with promises to whoever sends fastest. */
function waitForStore(connection: Connection): void {
  connection.pausedForStore = true;
  connection.link.pause();
}

/** Whoever gave the disk more to do, when it has too much already, goes on when it has done that. */
function waitForDisk(connection: Connection): void {
  waitForStore(connection);
  connection.answersWaiting++;
  connection.broker.store.onSettled(() => storeAnswered(connection));
}

/** The store has answered for one of those that waited. */
export function storeAnswered(connection: Connection): void {
  connection.answersWaiting--;
  const mostWait = connection.broker.store.overloaded ? 0 : ANSWERS_WAITING_MAX / 2;
  if (!connection.pausedForStore || connection.answersWaiting > mostWait) return;
  connection.pausedForStore = false;
  resumeReading(connection);
}

export function waitForPace(connection: Connection, milliseconds: number): void {
  const { broker } = connection;
  broker.meter.publishersSlowed++;
  connection.paceTimer ??= new Timer(() => readOn(connection));
  broker.timers.set(connection.paceTimer, broker.now + milliseconds);
  connection.link.pause();
}

export function isPaced({ paceTimer }: Connection): boolean {
  return paceTimer !== null && paceTimer.isSet;
}

/** Puts the packet at hand back and reads on, with it first, once the access rules can answer about it. */
export function waitForRules(connection: Connection, answers: Promise<unknown>): void {
  const { broker } = connection;
  connection.reader.putBack();
  broker.meter.packetsReceived--;
  connection.waiting = true;
  connection.rulesAsked = true;
  connection.link.pause();
  void answers.then(() => {
    if (connection.closed) return;
    broker.lookAtTheClock();
    connection.waiting = false;
    readOn(connection);
  });
}

/** Reads on, with what has arrived already first. */
export function readOn(connection: Connection): void {
  resumeReading(connection);
  connection.readPackets();
}

/** Reads on, unless there is another reason not to. */
export function resumeReading(connection: Connection): void {
  if (connection.closed || connection.waiting || isPaced(connection)) return;
  if (!connection.pausedBySlowness && !connection.pausedForStore) connection.link.resume();
}
