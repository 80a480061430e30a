/**
 * `protocol http_api`: what Mosquitto 2.1 answers there (docs/compat/runtime.md, 6), and our metrics and health.
 *
 *   /healthz /readyz     one word, to everybody
 *   /metrics             to this machine, and beyond it only over TLS to who has proved who they are
 *   /api/v1/...          version, listeners, systree        anything else: files below http_dir
 *
 * Everything but health passes the login of the listener and its access rules, the path standing for a topic.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { AccessControl, ListenerRules, Peer } from '../broker/ports.ts';
import { healthRoutes, METRICS_PATH, openPaths } from './health-routes.ts';
import { serveFile } from './http-files.ts';
import { isOnThisMachine, logIn } from './http-login.ts';
import { createHttpServer, httpLimits, type HttpServer } from './http-server.ts';
import type { HealthPorts } from './ports.ts';
import { dispatch, placeOf, type Place } from './router.ts';

/** One listener in Mosquitto's words. */
export interface ApiListener {
  port?: number;
  path?: string;
  protocol: 'mqtt' | 'websockets' | 'httpapi';
  tls: boolean;
  mtls: boolean;
  allow_anonymous: boolean;
}

export interface HttpApiPorts extends HealthPorts {
  access: AccessControl;
  version: string;
  listeners(): readonly ApiListener[];
  /** Every $SYS topic that is a number. */
  sysTree(): Readonly<Record<string, number>>;
  /** The canonical folder with a slash behind it; null for none. */
  filesOf(listener: ListenerRules): string | null;
}

const realm = 'Basic realm="Mosquitto API"';

export class HttpApi {
  readonly #ports: HttpApiPorts;
  readonly #peers = new WeakMap<Socket, Peer>();
  #server: Promise<HttpServer> | null = null;

  constructor(ports: HttpApiPorts) {
    this.#ports = ports;
  }

  take(socket: Socket, peer: Peer): void {
    this.#peers.set(socket, peer);
    this.#server ??= createHttpServer((request, response) => void this.#answer(request, response), httpLimits);
    void this.#server.then(server => server.take(socket));
  }

  async close(): Promise<void> {
    (await this.#server)?.close();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await this.#serve(request, response, this.#peers.get(request.socket)!);
    } catch (error) {
      this.#fault(error);
      if (response.headersSent) response.destroy();
      else say(response, 500, 'Internal error.');
    }
  }

  async #serve(request: IncomingMessage, response: ServerResponse, peer: Peer): Promise<void> {
    const place = placeOf(request);
    if (peer.refusal !== null) return say(response, 403, peer.refusal.reason);
    if (request.method !== 'GET') return say(response, 405, 'Invalid HTTP Method');
    if (place === null) return say(response, 404, 'Not found.');
    if (openPaths.includes(place.path)) return this.#serveHealth(request, response);
    const login = await logIn(this.#ports.access, this.#ports.log, request, peer, place.path);
    if (login === null) return say(response.setHeader('www-authenticate', realm), 401, 'Not authorised');
    if (place.path !== METRICS_PATH) return this.#serveMosquitto(place, response, peer.listener);
    const missing = missingFor(peer, login.proved);
    return missing === null ? this.#serveHealth(request, response) : say(response, 403, missing);
  }

  #serveHealth(request: IncomingMessage, response: ServerResponse): Promise<void> {
    return dispatch(healthRoutes(this.#ports), request, response, error => this.#fault(error));
  }

  async #serveMosquitto({ path }: Place, response: ServerResponse, listener: ListenerRules): Promise<void> {
    const ports = this.#ports;
    if (path === '/api/v1/version') return sayAll(response, ports.version);
    if (path === '/api/v1/listeners') return sayAll(response, indented({ listeners: ports.listeners() }));
    if (path === '/api/v1/systree') return sayAll(response, indented(ports.sysTree()));
    const folder = path.startsWith('/api/') ? null : ports.filesOf(listener);
    if (folder === null || !(await serveFile(folder, path, response))) say(response, 404, 'Not found.');
  }

  #fault(error: unknown): void {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#ports.log.write(
      'error',
      `Error: internal fault while answering HTTP. Please report: ${text}`,
      'broker.fault',
    );
  }
}

/** What a peer beyond this machine lacks to be told the metrics; null when nothing. */
function missingFor({ address, tls }: Peer, proved: boolean): string | null {
  if (isOnThisMachine(address)) return null;
  if (tls === null)
    return `${METRICS_PATH} is told beyond this machine over TLS only: give the listener certfile and keyfile.`;
  return proved ? null : `${METRICS_PATH} is told beyond this machine to users only: log in with name and password.`;
}

const indented = (value: unknown): string => JSON.stringify(value, null, '\t');

function sayAll(response: ServerResponse, body: string): void {
  // Mosquitto's own dashboard may be served from elsewhere.
  response.setHeader('access-control-allow-origin', '*');
  say(response, 200, body);
}

/** As Mosquitto: no content type. */
function say(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-length': Buffer.byteLength(body), 'cache-control': 'no-store' });
  response.end(body);
}
