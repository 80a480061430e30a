/** The listeners with `protocol http_api`: what they tell, in Mosquitto's words, and who looks after them. */
import type { Socket } from 'node:net';
import type { AccessControl, ListenerRules, Peer } from '../broker/ports.ts';
import type { ApiListener, HttpApi } from '../admin/mod.ts';
import type { ListenerSettings, Settings } from '../conf/mod.ts';
import type { ListenerSet } from '../listeners/mod.ts';
import type { BrokerLog } from '../observability/mod.ts';
import { prometheusText } from '../observability/mod.ts';
import type { RunningBroker } from './assemble.ts';
import { Expiries } from './expiry-facts.ts';
import { isLocal } from './listener-status.ts';
import { metricFacts } from './metric-facts.ts';
import { notReady } from './ready.ts';
import { productVersion } from './process/mod.ts';

interface LazyOptions {
  /** Null while the broker is being put together. */
  running: () => RunningBroker | null;
  log: BrokerLog;
  access: AccessControl;
  home: string | null;
}

export interface LazyHttpApi {
  take(socket: Socket, peer: Peer): void;
  close(): void;
}

/** Loaded with the first visitor; most brokers have no such listener. */
export function lazyHttpApi(options: LazyOptions): LazyHttpApi {
  let api: Promise<HttpApi> | null = null;
  return {
    take(socket, peer) {
      const running = options.running();
      if (running === null) return void socket.destroy();
      api ??= openHttpApi(running, options);
      void api.then(open => open.take(socket, peer));
    },
    close: () => void api?.then(open => open.close()),
  };
}

async function openHttpApi(running: RunningBroker, { log, access, home }: LazyOptions): Promise<HttpApi> {
  const { HttpApi } = await import('../admin/mod.ts');
  const expiries = new Expiries(home);
  return new HttpApi({
    log,
    access,
    version: productVersion(),
    metrics: () => prometheusText(metricFacts(running, expiries)),
    notReady: () => notReady(running),
    listeners: () => running.settings.listeners.map(apiListener),
    sysTree: () => running.sysTopics.tree(),
    filesOf: rules => httpDirOf(running, rules),
  });
}

function httpDirOf({ rules, settings }: RunningBroker, of: ListenerRules): string | null {
  return settings.listeners[rules.indexOf(of)]?.httpDir ?? null;
}

function apiListener(listener: ListenerSettings): ApiListener {
  const { port, unixPath, protocol, certfile, pskHint, requireCertificate, allowAnonymous } = listener;
  return {
    ...(unixPath === null ? { port } : { path: unixPath }),
    protocol: protocol === 'http_api' ? 'httpapi' : protocol,
    tls: certfile !== null || pskHint !== null,
    mtls: requireCertificate,
    allow_anonymous: allowAnonymous,
  };
}

/** Passwords cross the network in the clear, and metrics stay at home: said at the start, not found out. */
export function remarkOnHttp(log: BrokerLog, set: ListenerSet, { listeners }: Settings): void {
  for (const listener of listeners) {
    if (listener.protocol === 'http_api' && listener.httpDir !== null)
      log.write('information', `Using http_dir ${listener.httpDir}`, {
        code: 'http.directory',
        file: listener.httpDir,
      });
  }
  for (const listener of set.opened) {
    const { rules, tls } = listener;
    if (rules.protocol !== 'http_api' || tls !== null || isLocal(listener)) continue;
    log.write('warning', `The HTTP interface on ${rules.name} can be reached from the network without TLS.`, {
      code: 'http.clear-text',
      listener: rules.name,
    });
    log.write(
      'warning',
      '  Names and passwords can be read on the way, and /metrics is told to this machine alone.',
      'http.clear-text',
    );
    log.write('warning', '  Give the listener certfile and keyfile, or bind it to 127.0.0.1.', 'http.clear-text');
  }
}
