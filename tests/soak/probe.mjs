/**
 * Loaded into a broker under test by NODE_OPTIONS=--import: whoever connects to the socket in ZANCUDO_SOAK_PROBE is told
 * what the process holds after a full collection, as one line of JSON.
 */
import { createServer } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isMainThread } from 'node:worker_threads';

const path = process.env.ZANCUDO_SOAK_PROBE;
if (isMainThread && path) {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc');
  const server = createServer(socket => {
    collect();
    const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage();
    const held = process.getActiveResourcesInfo();
    const timers = held.filter(kind => kind === 'Timeout' || kind === 'Immediate').length;
    socket.end(JSON.stringify({ rss, heapUsed, external, arrayBuffers, timers, resources: held.length }));
    socket.on('error', () => undefined);
  });
  server.on('error', () => undefined);
  server.listen(path).unref();
}
