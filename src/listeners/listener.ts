/**
 * One listener of the configuration: its open sockets, its rules and its TLS state.
 *
 * Rules and TLS state can be replaced while it is open: who is connected keeps the link, who comes next meets the new
 * ones. The rules object itself stays the same, because peers and sessions point to it.
 */
import { createServer, type Server, type Socket } from 'node:net';
import type { About, LogCode } from '../base/mod.ts';
import type { ListenerRules, Peer } from '../broker/ports.ts';
import { SocketLink, errorCode, type WriteScheduler } from '../transport/mod.ts';
import type { Admission, Seats } from './admission.ts';
import { Arrival } from './arrival.ts';
import { bindAddresses, listenOn, listenOnPath } from './bind.ts';
import { ListenerError, type ListenerOptions, type ListenerSetOptions } from './options.ts';
import { answerHttp } from './http-accept.ts';
import { readProxyHeader } from './proxy-accept.ts';
import { startTls } from './tls-accept.ts';
import { TlsLoadError, loadTls, type LoadedTls } from './tls-context.ts';
import { openWebSocket } from './websocket-accept.ts';

/** What all listeners of a broker have in common. */
export interface Shared {
  options: ListenerSetOptions;
  scheduler: WriteScheduler;
  admission: Admission;
}

const NO_SOCKETS_LEFT =
  'Unable to accept new connection, system socket count has been exceeded. Try increasing "ulimit -n" or equivalent.';
/** The line above is true for every connection attempted meanwhile; once in this time is enough. */
const COMPLAINT_INTERVAL_MS = 10_000;

export class Listener {
  readonly shared: Shared;
  readonly rules: ListenerRules;
  settings: ListenerOptions;
  tls: LoadedTls | null = null;
  private readonly seats: Seats = { taken: 0, accepted: 0 };
  private readonly servers: Server[] = [];
  private complainedAt = -Infinity;
  private readonly onConnection = (socket: Socket): void => this.accept(socket);
  /** One function for all sockets; each of them calls it once, when it has closed. */
  private readonly leave = (): void => this.shared.admission.leave(this.seats);

  constructor(shared: Shared, settings: ListenerOptions) {
    this.shared = shared;
    this.settings = settings;
    this.rules = settings.rules;
  }

  /** Addresses it listens on; for a Unix socket its path. */
  get addresses(): (string | { address: string; port: number })[] {
    return this.servers.flatMap(server => server.address() ?? []);
  }

  get connections(): number {
    return this.seats.taken;
  }

  /** Sockets since the start. */
  get accepted(): number {
    return this.seats.accepted;
  }

  /** Certificates are read before a socket is open, but complained of after: that is the order log readers know. */
  async open(): Promise<void> {
    const loaded = this.tryLoad(this.settings);
    await this.bind();
    if (loaded instanceof ListenerError) throw loaded;
    this.putInForce(loaded);
  }

  /** The state that the new settings would make; nothing is changed yet. */
  tryLoad(settings: ListenerOptions): LoadedTls | null | ListenerError {
    if (settings.tls === null) return null;
    try {
      return loadTls(settings.tls);
    } catch (error) {
      if (!(error instanceof TlsLoadError)) throw error;
      const explained = error.cause === null ? [] : this.shared.options.explain(error.cause, settings.tls);
      return new ListenerError([...error.lines, ...explained]);
    }
  }

  /** Whoever comes from now on meets these settings. Bound addresses stay as they are. */
  replace(settings: ListenerOptions, tls: LoadedTls | null): void {
    Object.assign(this.rules, settings.rules);
    this.settings = { ...settings, rules: this.rules };
    this.putInForce(tls);
  }

  private putInForce(tls: LoadedTls | null): void {
    this.tls = tls;
    for (const remark of tls?.remarks ?? [])
      this.shared.options.log.write('warning', remark, { code: 'listener.remark', listener: this.rules.name });
  }

  /** Stops listening; links are left to their owner. */
  async close(): Promise<void> {
    for (const server of this.servers.splice(0)) server.close();
  }

  private async bind(): Promise<void> {
    const { log } = this.shared.options;
    const { port, unixPath } = this.rules;
    if (unixPath !== null) {
      log.write('information', `Opening unix listen socket on path ${unixPath}.`, {
        code: 'listener.opening',
        listener: this.rules.name,
      });
      return listenOnPath(this.addServer(), unixPath);
    }
    const http = this.rules.protocol === 'http_api';
    if (http)
      log.write('information', `Opening http api listen socket on port ${port}.`, {
        code: 'listener.opening',
        listener: this.rules.name,
        port,
      });
    for (const at of await bindAddresses(this.settings)) {
      if (!http)
        log.write('information', `Opening ${at.family} listen socket on port ${port}.`, {
          code: 'listener.opening',
          listener: this.rules.name,
          port,
        });
      try {
        await listenOn(this.addServer(), at, port);
      } catch (error) {
        if (!this.canDoWithout(error, at.family)) throw error;
        log.write('warning', `Warning: ${(error as ListenerError).message.replace('Error: ', '')}`, {
          code: 'listener.remark',
          listener: this.rules.name,
        });
      }
    }
  }

  /** A machine without IPv6 is served over IPv4, unless the configuration names an IPv6 address. */
  private canDoWithout(error: unknown, family: 'ipv4' | 'ipv6'): boolean {
    if (!(error instanceof ListenerError) || family !== 'ipv6' || this.rules.host !== null) return false;
    return this.settings.socketDomain === null && ['EAFNOSUPPORT', 'EADDRNOTAVAIL'].includes(error.systemCode);
  }

  private addServer(): Server {
    const server = createServer(this.onConnection);
    server.on('error', error => this.complain(error));
    this.servers.push(server);
    return server;
  }

  private complain(error: Error): void {
    if (!['EMFILE', 'ENFILE'].includes(errorCode(error))) return;
    const now = performance.now();
    if (now - this.complainedAt < COMPLAINT_INTERVAL_MS) return;
    this.complainedAt = now;
    this.shared.options.log.write('warning', NO_SOCKETS_LEFT, 'listener.sockets-used-up');
  }

  private accept(socket: Socket): void {
    const { options, admission } = this.shared;
    const peer = this.peerOf(socket);
    // Behind a proxy every socket is the proxy's; its header names the one who counts.
    if (this.settings.proxyProtocol === 0 && options.turnsAway(peer) !== null)
      return admission.turnAway(this.seats, socket);
    const limit = admission.enter(this.seats, this.rules);
    if (limit !== null) {
      options.log.write(
        'notice',
        `Client connection from ${peer.address} denied: ${limit} exceeded.`,
        this.about('connection.limit', peer),
      );
      options.recorder?.note('connection.denied', { address: peer.address, listener: this.rules.name, limit });
      socket.destroy();
      return;
    }
    if (options.limits.noDelay) socket.setNoDelay(true);
    if (options.log.connections && this.settings.proxyProtocol === 0 && this.rules.protocol !== 'http_api') {
      options.log.write(
        'notice',
        `New connection from ${peer.address}:${peer.port} on port ${this.rules.port}.`,
        this.about('connection.opened', peer),
      );
    }
    const steps = this.steps();
    if (steps.length === 0) return options.onLink(new SocketLink(socket, this.shared.scheduler, this.leave), peer);
    socket.on('close', this.leave);
    void receive(new Arrival(this, socket, peer), steps);
  }

  private about(code: LogCode, { address, port }: Peer): About {
    return { code, address, port, listener: this.rules.name, phase: 'TCP' };
  }

  private peerOf(socket: Socket): Peer {
    return {
      address: this.rules.unixPath ?? socket.remoteAddress ?? 'unknown',
      port: socket.remotePort ?? 0,
      listener: this.rules,
      tls: null,
      certificate: null,
      pskIdentity: null,
      proxiedCommonName: null,
      refusal: null,
    };
  }

  private steps(): Step[] {
    const { proxyProtocol } = this.settings;
    if (proxyProtocol === 0 && this.tls === null && this.rules.protocol === 'mqtt') return NO_STEPS;
    const steps: Step[] = [];
    if (proxyProtocol !== 0) steps.push(readProxyHeader);
    if (this.tls !== null) steps.push(startTls);
    if (this.rules.protocol === 'websockets') steps.push(openWebSocket);
    else if (this.rules.protocol === 'http_api') steps.push(leaveToHttp);
    else if (this.tls !== null && this.settings.http) steps.push(answerHttp);
    return steps;
  }
}

/** Resolves to false when the arrival has ended there: refused, gone, or handed over already. */
type Step = (arrival: Arrival) => Promise<boolean>;
const NO_STEPS: Step[] = [];

/** The last step of a listener that speaks nothing but HTTP. */
const leaveToHttp: Step = async arrival => {
  arrival.handOverHttp();
  return false;
};

async function receive(arrival: Arrival, steps: readonly Step[]): Promise<void> {
  try {
    for (const step of steps) {
      if (!(await step(arrival))) return;
    }
    arrival.handOver();
  } catch (error) {
    // A fault of ours on the way in costs this one connection and nobody else's.
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    arrival.listener.shared.options.log.write(
      'error',
      `Error: internal fault while accepting ${arrival.place}: ${text}`,
      arrival.about('broker.fault'),
    );
    arrival.socket.destroy();
    arrival.raw.destroy();
  }
}
