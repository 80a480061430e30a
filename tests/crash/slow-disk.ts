/**
 * What a slow disk does to messages that need none: the same broker twice, once with an fsync that takes 50 ms longer (a
 * shim in front of the system's, built with gcc), under QoS 1 load to a subscriber that is away.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { publish, RawClient, startBroker, temporaryDirectory } from '../harness/mod.ts';
import { Publisher } from './publisher.ts';

const FSYNC_MS = 50;
const PROBES = 200;

const shim = `#define _GNU_SOURCE
#include <dlfcn.h>
#include <unistd.h>
static int slow(const char *name, int fd) {
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
  usleep(${FSYNC_MS * 1000});
  return real(fd);
}
int fsync(int fd) { return slow("fsync", fd); }
int fdatasync(int fd) { return slow("fdatasync", fd); }
`;

export interface Latency {
  disk: string;
  /** Milliseconds from publisher to subscriber at QoS 0. */
  median: number;
  p99: number;
  /** Milliseconds until a QoS 1 message for the absent one was acknowledged. */
  acknowledged: number;
}

export async function latencies(): Promise<Latency[]> {
  const directory = temporaryDirectory();
  try {
    const source = `${directory.path}/slow.c`;
    const library = `${directory.path}/slow.so`;
    writeFileSync(source, shim);
    execFileSync('gcc', ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl']);
    return [await measure('as it is', {}), await measure(`${FSYNC_MS} ms slower`, { LD_PRELOAD: library })];
  } finally {
    directory.remove();
  }
}

async function measure(disk: string, env: NodeJS.ProcessEnv): Promise<Latency> {
  const kept = temporaryDirectory();
  const broker = await startBroker({
    env,
    conf: at =>
      [
        `listener ${at.port()} 127.0.0.1`,
        'allow_anonymous true',
        'persistence true',
        `persistence_location ${kept.path}/`,
        'max_queued_messages 0',
      ].join('\n'),
  });
  try {
    const away = await RawClient.dial({ port: broker.port });
    await away.connect({ clientId: 'away', clean: false });
    await away.subscribe([['load/#', 1]]);
    away.destroy();
    const publisher = new Publisher('load', 'load/1', 1);
    await publisher.connect(broker.port);
    let enough = false;
    const load = publisher.run(() => enough);
    const began = performance.now();
    const times = await probe(broker.port);
    enough = true;
    const acknowledged = (performance.now() - began) / Math.max(1, publisher.acknowledged.size / 20);
    await load;
    publisher.destroy();
    times.sort((a, b) => a - b);
    return { disk, median: times[PROBES / 2]!, p99: times[Math.floor(PROBES * 0.99)]!, acknowledged };
  } finally {
    await broker.stop();
    kept.remove();
  }
}

/** QoS 0 from one client to another, one at a time. */
async function probe(port: number): Promise<number[]> {
  const [from, to] = [await RawClient.dial({ port }), await RawClient.dial({ port })];
  await from.connect({ clientId: 'from' });
  await to.connect({ clientId: 'to' });
  await to.subscribe([['probe', 0]]);
  const times: number[] = [];
  for (let n = 0; n < PROBES; n++) {
    const at = performance.now();
    from.send(publish({ topic: 'probe', qos: 0, payload: 'x' }));
    await to.next();
    times.push(performance.now() - at);
    await pause(5);
  }
  from.destroy();
  to.destroy();
  return times;
}
