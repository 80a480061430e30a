/**
 * An HTTP server that owns no port: sockets are given to it once they have come through a listener (admission, PROXY
 * header, TLS). What one peer can cost is bounded here: bytes of a header, time for a request, idle time.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

export interface HttpLimits {
  headerBytesMax: number;
  /** For the header, and for the whole request. */
  headerSeconds: number;
  requestSeconds: number;
  /** Between two requests; Prometheus comes back every 15 or 30 s. */
  idleSeconds: number;
}

export const httpLimits: HttpLimits = {
  headerBytesMax: 16_384,
  headerSeconds: 10,
  requestSeconds: 60,
  idleSeconds: 35,
};

export interface HttpServer {
  /** The socket is the server's from here on; it is closed when the peer is done or took too long. */
  take(socket: Socket): void;
  /** Requests that are being answered may end; idle connections are closed now. */
  close(): void;
}

export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => void;

/** Loads node:http only here: a broker that nobody asks by HTTP does without. */
export async function createHttpServer(handle: RequestHandler, limits = httpLimits): Promise<HttpServer> {
  const server = await makeServer(handle, limits);
  // Node begins to watch these limits when a server listens; ours never does, so it is told.
  server.emit('listening');
  return {
    take: socket => void server.emit('connection', socket),
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

export async function makeServer(handle: RequestHandler, limits: HttpLimits): Promise<Server> {
  const { createServer } = await import('node:http');
  return createServer(
    {
      maxHeaderSize: limits.headerBytesMax,
      headersTimeout: limits.headerSeconds * 1000,
      requestTimeout: limits.requestSeconds * 1000,
      keepAliveTimeout: limits.idleSeconds * 1000,
      connectionsCheckingInterval: 1000,
    },
    handle,
  );
}
