/** Debian's Mosquitto broker on a port of its own, for tests of the tools. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { Background, findProgram, freePort, run, temporaryDirectory, until } from '../harness/mod.ts';

export interface DebianBroker {
  port: number;
  /** Where its files are. */
  folder: string;
  log(): string;
  pid: number;
  hasEnded(): boolean;
  /** mosquitto_pub's exit code with this user: CONNACK's code, or 0. */
  connack(user: string, password: string): Promise<number | null>;
}

/** Ends with the test. `extra` stands behind the listener line. */
export async function startDebianBroker(t: TestContext, extra: string, user = 'root'): Promise<DebianBroker> {
  const directory = temporaryDirectory();
  const port = await freePort();
  const configuration = join(directory.path, 'mosquitto.conf');
  writeFileSync(configuration, `user ${user}\nlistener ${port} 127.0.0.1\n${extra}`);
  const program = findProgram('mosquitto') ?? 'mosquitto';
  const broker = new Background(program, ['-v', '-c', configuration]);
  t.after(async () => {
    await broker.stop();
    directory.remove();
  });
  await until(`Mosquitto on ${port}`, () => broker.hasEnded || answers(port));
  if (broker.hasEnded) throw new Error(`Mosquitto did not start:\n${broker.stderr}`);
  return {
    port,
    folder: directory.path,
    log: () => broker.stderr,
    pid: broker.process.pid as number,
    hasEnded: () => broker.hasEnded,
    connack: async (name, password) => {
      const args = ['-h', '127.0.0.1', '-p', String(port), '-u', name, '-P', password, '-t', 'x', '-n'];
      return (await run('mosquitto_pub', args)).code;
    },
  };
}

function answers(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = new Socket();
    const settle = (works: boolean) => {
      socket.destroy();
      resolve(works);
    };
    socket.once('connect', () => settle(true)).once('error', () => settle(false));
    socket.connect(port, '127.0.0.1');
  });
}
