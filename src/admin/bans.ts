/** Bans for the operator: seen, added and lifted. */
import { isIP } from 'node:net';
import { plainAddress, sourceOf } from '../base/mod.ts';
import type { BrokerControl } from '../broker/ports.ts';
import type { BanFacts, BanOrder, BanReport } from './contract.ts';
import { BadRequest, type Exchange } from './exchange.ts';
import type { Route } from './router.ts';

export interface BanPorts {
  list(): BanFacts[];
  /** False when the table is full. */
  add(address: string, seconds: number, because: string): boolean;
  lift(address: string): boolean;
}

/** A year. */
const SECONDS_MAX = 31_536_000;

export function banRoutes(bans: BanPorts, control: BrokerControl): Route[] {
  return [
    { method: 'GET', path: '/v1/bans', serve: each => each.list(bans.list(), ban => ban) },
    { method: 'POST', path: '/v1/bans', serve: each => add(each, bans, control) },
    { method: 'DELETE', path: '/v1/bans/:name', serve: each => lift(each, bans) },
  ];
}

async function add(exchange: Exchange, bans: BanPorts, control: BrokerControl): Promise<void> {
  for await (const line of exchange.lines()) {
    const { address, seconds, because } = orderOf(line);
    if (!bans.add(address, seconds, because)) return exchange.problem(409, 'the list of bans is full');
    const source = sourceOf(address);
    const disconnected = control.disconnect(who => sourceOf(who.address) === source, `banned by the operator: ${because}`);
    return exchange.json({ source, disconnected } satisfies BanReport);
  }
  throw new BadRequest('there is no line with an address');
} // prettier-ignore

function lift(exchange: Exchange, bans: BanPorts): void {
  if (bans.lift(exchange.name)) exchange.json({});
  else exchange.problem(404, `${exchange.name} is not banned`);
}

function orderOf(line: unknown): BanOrder {
  const { address, seconds, because } = (line ?? {}) as Partial<Record<keyof BanOrder, unknown>>;
  if (typeof address !== 'string' || isIP(plainAddress(address)) === 0)
    throw new BadRequest('address is no IP address');
  if (!Number.isInteger(seconds) || (seconds as number) < 1 || (seconds as number) > SECONDS_MAX) {
    throw new BadRequest(`seconds is no number from 1 to ${SECONDS_MAX}`);
  }
  if (typeof because !== 'string' || because.length > 200) throw new BadRequest('because is no short text');
  return { address, seconds: seconds as number, because };
}
