/** What machines ask: numbers for Prometheus, one word for whoever restarts or balances brokers. */
import type { HealthPorts } from './ports.ts';
import type { Route } from './router.ts';

export const METRICS_PATH = '/metrics';
/** Told without a login: one word that an open port says as well. */
export const openPaths: readonly string[] = ['/healthz', '/readyz'];

/** The content type that Prometheus asks for. */
const PROMETHEUS_TEXT = 'text/plain; version=0.0.4; charset=utf-8';

export function healthRoutes(ports: HealthPorts): Route[] {
  return [
    { method: 'GET', path: METRICS_PATH, serve: each => each.text(ports.metrics(), 200, PROMETHEUS_TEXT) },
    // That this is answered at all is the answer: the routing thread runs.
    { method: 'GET', path: '/healthz', serve: each => each.text('ok\n') },
    {
      method: 'GET',
      path: '/readyz',
      serve: each => {
        const why = ports.notReady();
        each.text(why === null ? 'ready\n' : `not ready: ${why}\n`, why === null ? 200 : 503);
      },
    },
  ];
}
