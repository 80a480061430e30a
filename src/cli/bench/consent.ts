/** A generator of load is pointed at a foreign broker by a slip of the finger: there it asks first. */
import { lookup } from 'node:dns/promises';
import { networkInterfaces } from 'node:os';
import { createInterface } from 'node:readline/promises';
import type { ConnectOptions } from '../../client/mod.ts';
import type { Context } from '../context.ts';

export async function isThisMachine(access: ConnectOptions): Promise<boolean> {
  if (access.unixSocket !== undefined) return true;
  if (access.proxy !== undefined) return false;
  const { address } = await lookup(access.host ?? 'localhost').catch(() => ({ address: '' }));
  return isOwnAddress(address);
}

export function isOwnAddress(address: string): boolean {
  if (/^(127\.|::1$|::ffff:127\.)/.test(address)) return true;
  return Object.values(networkInterfaces()).some(each => each?.some(own => own.address === address));
}

export async function mayLoad(access: ConnectOptions, isAgreed: boolean, context: Context): Promise<boolean> {
  if (isAgreed) return true;
  const place = `${access.host}:${access.port ?? 1883}`;
  const what = `This sends ${place} as many messages as it can take. Others who use it will notice.`;
  if (!process.stdin.isTTY) {
    context.complain(`zancudo bench: ${what}\n  If that is what you want, say so with --yes.\n`);
    return false;
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(`${what} Go on? [y/N] `);
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    terminal.close();
  }
}
