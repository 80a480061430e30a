/** Gathers what the rows of observability/metrics.ts look at. */
import fs from 'node:fs';
import { systemClock } from '../base/mod.ts';
import type { MetricFacts } from '../observability/mod.ts';
import type { RunningBroker } from './assemble.ts';
import type { Expiries } from './expiry-facts.ts';
import { productVersion } from './process/mod.ts';
import { storeFacts } from './store-facts.ts';

const SOON_MS = 30 * 86_400_000;

export function metricFacts(running: RunningBroker, expiries: Expiries): MetricFacts {
  const { broker, listeners, watch, settings } = running;
  const { listeners: ends, devices } = expiries.of(settings);
  const now = systemClock.wall();
  const store = storeFacts(running);
  return {
    version: productVersion(),
    startedAt: watch.startedAt / 1000,
    now: now / 1000,
    meter: broker.meter,
    gauges: broker.gauges(),
    listeners: listeners.opened.map(({ rules, connections, accepted }) => {
      return { name: rules.name, protocol: rules.protocol, connections, accepted };
    }),
    certificates: ends.flatMap(({ listener, items }) =>
      items.map(({ kind, ends: at }) => ({ listener, kind, ends: at / 1000 })),
    ),
    devices:
      devices === null
        ? null
        : { count: devices.length, endingSoon: devices.filter(each => each.ends - now <= SOON_MS).length },
    store,
    drops: Object.entries(broker.meter.drops).map(([cause, messages]) => ({ cause, messages })),
    bans: running.doorkeeper.list().length,
    loop: { busySeconds: watch.loop.busySeconds, late: watch.loop.late },
    process: processFacts(),
    bridges: running.bridges.facts().map(({ name, state, connections, waiting, topics, heldBack }) => {
      const sum = (direction: 'out' | 'in'): number => topics.reduce((all, each) => all + each[direction], 0);
      return { name, connected: state === 'connected', connections, waiting, out: sum('out'), in: sum('in'), heldBack };
    }),
    ...(running.backends.facts.length === 0 ? {} : { backends: running.backends.facts }),
    recorder: running.recorder,
    spans: running.telemetry.facts,
    workers: [{ kind: 'store', count: store === null ? 0 : 1 }],
  };
}

function processFacts(): MetricFacts['process'] {
  const { rss, heapUsed, heapTotal, external } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  return {
    cpuSeconds: (user + system) / 1e6,
    residentBytes: rss,
    heapUsedBytes: heapUsed,
    heapTotalBytes: heapTotal,
    externalBytes: external,
    openDescriptors: openDescriptors(),
    descriptorsMax: descriptorsMax(),
  };
}

/** Linux 6.2 and newer give the number without a walk through the folder, in which there may be 100,000. */
function openDescriptors(): number | null {
  try {
    const { size } = fs.statSync('/proc/self/fd');
    return size > 0 ? size : fs.readdirSync('/proc/self/fd').length;
  } catch {
    return null;
  }
}

function descriptorsMax(): number | null {
  try {
    const [, limit] = /^Max open files\s+(\d+)/m.exec(fs.readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return limit === undefined ? null : Number(limit);
  } catch {
    return null;
  }
}
