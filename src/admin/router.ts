/** From a request to the row that serves it. A row's path may end in `/:name`, which stands for one encoded segment. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { BadRequest, Exchange } from './exchange.ts';

export interface Route {
  method: 'GET' | 'POST' | 'DELETE';
  path: string;
  serve: (exchange: Exchange) => void | Promise<void>;
}

export interface Place {
  path: string;
  query: URLSearchParams;
}

/** Where a request wants to go; null for a target that is no path. */
export function placeOf(request: IncomingMessage): Place | null {
  const target = request.url ?? '';
  if (!target.startsWith('/')) return null;
  const mark = target.indexOf('?');
  const path = mark < 0 ? target : target.slice(0, mark);
  return { path, query: new URLSearchParams(mark < 0 ? '' : target.slice(mark + 1)) };
}

/** Finds the row and serves it; `onFault` is told of mistakes of ours, which cost this request alone. */
export async function dispatch(
  routes: readonly Route[],
  request: IncomingMessage,
  response: ServerResponse,
  onFault: (error: unknown) => void,
): Promise<void> {
  const place = placeOf(request);
  const found = routes.map(route => ({ route, name: nameIn(route.path, place?.path ?? '') })).filter(isMatch);
  const served = found.find(({ route }) => route.method === (request.method === 'HEAD' ? 'GET' : request.method));
  const exchange = new Exchange(request, response, place?.query ?? new URLSearchParams(), served?.name ?? '');
  if (served === undefined) return refuse(exchange, found);
  try {
    await served.route.serve(exchange);
  } catch (error) {
    if (error instanceof BadRequest && !response.headersSent) return exchange.problem(400, error.message);
    if (!(error instanceof BadRequest) && !request.destroyed) onFault(error);
    if (response.headersSent) response.destroy();
    else exchange.problem(500, 'a fault of the broker; its log has more');
  }
}

function refuse(exchange: Exchange, found: readonly { route: Route }[]): void {
  if (found.length === 0) return exchange.problem(404, 'there is nothing by this path');
  exchange.response.setHeader('allow', found.map(({ route }) => route.method).join(', '));
  exchange.problem(405, 'this path does not take that method');
}

interface Match {
  route: Route;
  name: string;
}

const isMatch = (each: { route: Route; name: string | null }): each is Match => each.name !== null;

/** Empty for a path without a name in it, null where the path is another one. */
function nameIn(pattern: string, path: string): string | null {
  if (!pattern.endsWith('/:name')) return pattern === path ? '' : null;
  const start = pattern.slice(0, -':name'.length);
  const rest = path.slice(start.length);
  if (!path.startsWith(start) || rest === '' || rest.includes('/')) return null;
  try {
    return decodeURIComponent(rest);
  } catch {
    return null;
  }
}
