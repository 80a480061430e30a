/**
 * Loaded into a broker under test by NODE_OPTIONS=--import: whoever connects to the socket in ZANCUDO_SOAK_PROBE is told
 * what the process holds after a full collection, as one line of JSON. Where there is a file of the socket's name with
 * `.snapshot` behind it, everything on the heap is written to the path in it, for a comparison in a browser's tools.
 */
import { createServer } from 'node:net';
import { readFileSync, rmSync } from 'node:fs';
import { setFlagsFromString, writeHeapSnapshot } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isMainThread } from 'node:worker_threads';

const path = process.env.ZANCUDO_SOAK_PROBE;
if (isMainThread && path) {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc');
  const server = createServer(socket => {
    collect();
    snapshot();
    const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage();
    const held = process.getActiveResourcesInfo();
    const timers = held.filter(kind => kind === 'Timeout' || kind === 'Immediate').length;
    socket.end(JSON.stringify({ rss, heapUsed, external, arrayBuffers, timers, resources: held.length }));
    socket.on('error', () => undefined);
  });
  const snapshot = () => {
    try {
      const target = readFileSync(`${path}.snapshot`, 'utf8');
      rmSync(`${path}.snapshot`);
      writeHeapSnapshot(target);
    } catch {
      // Nobody has asked for one.
    }
  };
  server.on('error', () => undefined);
  server.listen(path).unref();
}
