/**
 * Nothing ends by surprise: what the listeners live by, and what the home has issued, is looked at when the broker
 * starts and four times a day.
 *
 *   30, 14, 7 and 1 days before the end: a line in the log      always: $SYS/zancudo/certificates/...
 */
import {
  daysText,
  type Expiry,
  expiriesOf,
  expiriesOfDevices,
  shellWord,
  timeText,
  type TlsFiles,
} from '../pki/mod.ts';
import { systemClock } from '../base/mod.ts';
import type { Log } from '../broker/ports.ts';
import type { ListenerSettings } from '../conf/mod.ts';
import type { RunningBroker } from './assemble.ts';

export interface ForecastPorts {
  /** Unix time in milliseconds. */
  wall(): number;
  log: Pick<Log, 'write'>;
  /** Retained; not called where $SYS is switched off. */
  publish(topic: string, payload: string): void;
  /** The files of every listener, by its name. */
  listeners(): readonly { name: string; files: TlsFiles }[];
  /** The folder of the home, null when the broker runs on a configuration of its own. */
  home: string | null;
}

const dayMs = 86_400_000;
const warnAtDays = [30, 14, 7, 1];

export const forecastRoot = '$SYS/zancudo/certificates';

export class Forecast {
  private readonly ports: ForecastPorts;
  /** The last threshold that was logged, by what it was about. */
  private readonly said = new Map<string, number>();

  constructor(ports: ForecastPorts) {
    this.ports = ports;
  }

  look(): void {
    const now = this.ports.wall();
    const devices = this.ports.home === null ? [] : expiriesOfDevices(this.ports.home, now);
    const listeners = this.ports.listeners().map(({ name, files }) => ({ name, items: expiriesOf(files) }));
    for (const { items } of listeners) for (const item of items) this.warn(item, now);
    for (const item of devices) this.warn(item, now);
    this.tell(listeners, devices, now);
  }

  private warn(item: Expiry, now: number): void {
    const left = item.ends - now;
    const threshold = left <= 0 ? 0 : warnAtDays.findLast(days => left <= days * dayMs);
    const mark = `${item.kind} ${item.name} ${item.subject}`;
    if (threshold === undefined) this.said.delete(mark);
    if (threshold === undefined || this.said.get(mark) === threshold) return;
    this.said.set(mark, threshold);
    const when = left <= 0 ? `ended on ${timeText(item.ends)}` : `ends in ${daysText(left)}, on ${timeText(item.ends)}`;
    this.ports.log.write('warning', `${titles[item.kind]} "${item.subject}" ${when}: ${item.name}`, {
      code: 'broker.certificate-ends',
      certificate: item.subject,
      file: item.name,
    });
    this.ports.log.write('warning', `  ${remedies[item.kind]?.(item) ?? ''}`, 'broker.certificate-ends');
  }

  /** Whole days that are left; negative ones have passed. */
  private tell(
    listeners: readonly { name: string; items: readonly Expiry[] }[],
    devices: readonly Expiry[],
    now: number,
  ): void {
    const days = (items: readonly Expiry[]): string =>
      String(Math.floor((Math.min(...items.map(each => each.ends)) - now) / dayMs));
    for (const { name, items } of listeners) {
      for (const kind of ['certificate', 'ca', 'revocation-list']) {
        const some = items.filter(each => each.kind === kind);
        if (some.length > 0) this.ports.publish(`${forecastRoot}/${topicLevel(name)}/${kind}/days`, days(some));
      }
    }
    if (this.ports.home === null) return;
    this.ports.publish(`${forecastRoot}/devices/count`, String(devices.length));
    const ending = devices.filter(each => each.ends - now <= 30 * dayMs);
    this.ports.publish(`${forecastRoot}/devices/ending`, String(ending.length));
    if (devices.length > 0) this.ports.publish(`${forecastRoot}/devices/days`, days(devices));
  }
}

/** `port 8883` becomes `8883`; a path of a Unix socket has slashes and stays one level. */
function topicLevel(name: string): string {
  return name.replace(/^port /, '').replace(/[/+#]/g, '-');
}

const titles: Record<string, string> = {
  certificate: 'The certificate',
  ca: 'The CA',
  'revocation-list': 'The revocation list of',
  device: 'The certificate of the device',
};

const remedies: Record<string, (item: Expiry) => string> = {
  certificate: () => 'Clients refuse it from then on. Renew it, put it into its file and send the broker SIGHUP.',
  ca: () => 'Every certificate below it ends with it. Renew it with its own key, or hand out a new one in time.',
  'revocation-list': () =>
    'From then on no client with a certificate of that CA is let in. Put a new list into the file and send the broker SIGHUP.',
  device: ({ name }) => `zancudo device renew ${shellWord(name)}`,
};

/** As often as the home looks at its own certificates. */
const lookEveryMs = 6 * 3_600_000;

/** Returns what stops it. */
export function startForecast(running: RunningBroker, home: string | null): () => void {
  const forecast = new Forecast({
    wall: () => systemClock.wall(),
    log: running.log,
    publish: (topic, payload) => {
      if (running.settings.sysIntervalSeconds > 0)
        running.broker.publish(topic, Buffer.from(payload), { retain: true });
    },
    listeners: () => running.settings.listeners.map(filesOf),
    home,
  });
  forecast.look();
  const timer = setInterval(() => forecast.look(), lookEveryMs).unref();
  return () => clearInterval(timer);
}

export function filesOf(listener: ListenerSettings): { name: string; files: TlsFiles } {
  const pair = (certFile: string | null, keyFile: string | null) =>
    certFile === null || keyFile === null ? [] : [{ certFile, keyFile }];
  const asksClients = listener.requireCertificate || listener.requestCertificate;
  return {
    name: listener.unixPath ?? `port ${listener.port}`,
    files: {
      certificates: [...pair(listener.certfile, listener.keyfile), ...pair(listener.certfileRsa, listener.keyfileRsa)],
      caFile: asksClients ? listener.cafile : null,
      crlFile: asksClients ? listener.crlfile : null,
    },
  };
}
