import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { temporaryFolder } from '../shared.test.ts';
import { brokerProcesses, isBroker, listenersOn, programOf } from './processes.ts';

/** A /proc with the processes given: their words, and the name by which bin/zancudo was called. */
function procWith(
  t: TestContext,
  processes: Record<number, { words: string[]; calledAs?: string; sockets?: number[] }>,
) {
  const proc = temporaryFolder(t);
  for (const [pid, { words, calledAs, sockets = [] }] of Object.entries(processes)) {
    fs.mkdirSync(join(proc, pid, 'fd'), { recursive: true });
    fs.writeFileSync(join(proc, pid, 'cmdline'), words.map(word => `${word}\0`).join(''));
    fs.writeFileSync(
      join(proc, pid, 'environ'),
      `A=b\0${calledAs === undefined ? '' : `ZANCUDO_CALLED_AS=${calledAs}\0`}`,
    );
    sockets.forEach((inode, at) => fs.symlinkSync(`socket:[${inode}]`, join(proc, pid, 'fd', String(at))));
  }
  return proc;
}

const node = (...args: string[]) => ['/opt/node', '--disable-sigusr1', '/srv/zancudo/bin/start.cjs', ...args];

test("brokers are Zancudo's, by any name and option, and processes named mosquitto; clients and tools are none", t => {
  const proc = procWith(t, {
    10: { words: ['/usr/sbin/mosquitto', '-c', 'x.conf'] },
    11: { words: node(), calledAs: 'zancudo' },
    12: { words: node('-c', 'x.conf'), calledAs: 'zancudo' },
    13: { words: node('broker'), calledAs: 'zancudo' },
    14: { words: node('-p', '1884'), calledAs: 'mosquitto' },
    15: { words: ['node', '/srv/bin/../bin/start.cjs', '-v'] },
    20: { words: node('sub', '-t', '#'), calledAs: 'zancudo' },
    21: { words: node('-t', '#'), calledAs: 'mosquitto_sub' },
    22: { words: ['vi', '/etc/mosquitto'] },
    23: { words: ['mosquitto_sub', '-t', '#'] },
    24: { words: [] },
  });
  assert.deepEqual(brokerProcesses(proc), [10, 11, 12, 13, 14, 15]);
});

test('a process that is gone is no broker and has no program', t => {
  const proc = procWith(t, {});
  assert.deepEqual([isBroker(77, proc), programOf(77, proc)], [false, null]);
  assert.equal(brokerProcesses(join(proc, 'nothing')), null);
});

test('who listens on a port is found by the inode of the socket, on IPv4 and IPv6; a connection is no listener', t => {
  const proc = procWith(t, {
    31: { words: ['mosquitto'], sockets: [500, 501] },
    32: { words: ['mosquitto'], sockets: [600] },
    33: { words: ['nc'], sockets: [502] },
  });
  const head = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
  const line = (address: string, state: string, inode: number) =>
    `   0: ${address} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000  0        0 ${inode} 1\n`;
  fs.mkdirSync(join(proc, 'net'));
  fs.writeFileSync(
    join(proc, 'net/tcp'),
    `${head}${line('0100007F:075B', '0A', 501)}${line('0100007F:075B', '01', 502)}`,
  );
  fs.writeFileSync(join(proc, 'net/tcp6'), `${head}${line(`${'0'.repeat(32)}:22B3`, '0A', 600)}`);
  assert.deepEqual([listenersOn(1883, proc), listenersOn(8883, proc), listenersOn(1884, proc)], [[31], [32], []]);
});
