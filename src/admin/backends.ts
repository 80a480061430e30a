/** What the `auth_backend`s have told the broker, forgotten at the operator's word. */
import type { FlushOrder, FlushReport } from './contract.ts';
import { BadRequest, type Exchange } from './exchange.ts';
import type { Route } from './router.ts';

export interface BackendPorts {
  /** Null for all of them; the names of those that are asked anew. */
  flush(name: string | null): string[];
}

export function backendRoutes(backends: BackendPorts): Route[] {
  return [{ method: 'POST', path: '/v1/backends/flush', serve: each => flush(each, backends) }];
}

async function flush(exchange: Exchange, backends: BackendPorts): Promise<void> {
  for await (const line of exchange.lines()) {
    const { name = null } = (line ?? {}) as Partial<FlushOrder>;
    if (name !== null && typeof name !== 'string') throw new BadRequest('name is no text');
    const flushed = backends.flush(name);
    if (name !== null && flushed.length === 0) return exchange.problem(404, `there is no auth_backend '${name}'`);
    return exchange.json({ backends: flushed } satisfies FlushReport);
  }
  throw new BadRequest('there is no line with a name');
}
