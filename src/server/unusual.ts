/** What an operator should look at, by a row each, most pressing first. Nothing here happens every day on a healthy broker. */
import { daysText } from '../pki/mod.ts';
import { dropText, isUnusualDrop } from '../admin/mod.ts';
import type { CertificateStatus, ListenerStatus, StatusReport } from '../admin/mod.ts';
import type { BridgeFacts } from '../broker/ports.ts';
import type { Meter } from '../broker/ports.ts';

export interface UnusualFacts extends Omit<StatusReport, 'unusual'> {
  now: number;
  meter: Readonly<Meter>;
  /** Messages dropped, by cause, since the start. */
  drops: readonly { cause: string; messages: number }[];
  bridges: readonly BridgeFacts[];
  /** Devices. */
  quarantined: readonly string[];
  /** Null where there is no flight recorder. */
  recorder: { inTrouble: boolean } | null;
  /** Null where traces of messages go nowhere. */
  spans: { inTrouble: boolean; dropped: number } | null;
}

type Look = (facts: UnusualFacts) => string | readonly string[] | null;

const dayMs = 86_400_000;
const soonMs = 14 * dayMs;
/** Share of the routing thread's time above which a burst makes everybody wait. */
const busyMax = 0.8;
const lateMaxMs = 250;
/** Starting takes its time, and says nothing about the days to come. */
const settledMs = 60_000;
/** A share of refused connections that is more than a few mistyped passwords. */
const refusedAtLeast = 10;

const looks: readonly Look[] = [
  ({ store }) => (store?.inTrouble === true ? 'the disk does not take the store: QoS 1 and 2 are not acknowledged' : null),
  ({ recorder }) => (recorder?.inTrouble === true ? 'the flight recorder cannot write to its files, the last events are kept in memory alone; the log says why' : null),
  ({ certificates, now }) => certificates.flatMap(each => ending(each, now)),
  ({ listeners }) => listeners.flatMap(exposed),
  ({ process: { busy } }) => (busy > busyMax ? `the routing thread was busy ${percent(busy)} of the last minute` : null),
  ({ process: { lateMs }, now, startedAt }) => (lateMs > lateMaxMs && now - startedAt > settledMs ? `messages had to wait ${lateMs} ms and more at times` : null),
  ({ store }) => {
    const waiting = store?.waitingChanges ?? 0;
    return waiting > 100_000 ? `${waiting} changes wait for the disk, which is slower than the messages come` : null;
  },
  ({ bridges }) => bridges.flatMap(broken),
  ({ drops }) => {
    const causes = drops.filter(({ cause, messages }) => messages > 0 && isUnusualDrop(cause));
    if (causes.length === 0) return null;
    return `messages were dropped: ${causes.map(({ cause, messages }) => `${messages} ${dropText(cause)}`).join(', ')} (zancudo drops)`;
  },
  ({ meter }) => refusedText(meter),
  ({ meter }) => many(meter.connectionsRefusedByLimit, 'connections were closed by a connection limit'),
  ({ meter }) => many(meter.bansImposed, 'times an address was banned (zancudo bans)'),
  ({ meter }) => many(meter.takeoverFights, 'times two clients threw each other out under one client identifier; the log names them'),
  ({ meter }) => many(meter.slowLinksPaused, 'times a client did not read what it had asked for'),
  ({ spans }) => (spans?.inTrouble === true ? `the collector of otel_endpoint does not take traces: ${spans.dropped} spans were dropped since the start` : null),
  ({ quarantined }) => {
    if (quarantined.length === 0) return null;
    const named = quarantined.slice(0, 5).join(', ') + (quarantined.length > 5 ? ', ...' : '');
    return `${quarantined.length} in quarantine: ${named} (zancudo quarantine)`;
  },
  ({ meter }) => many(meter.publishDenied, 'publishes or deliveries were refused by the access rules'),
]; // prettier-ignore

export function unusual(facts: UnusualFacts): string[] {
  return looks.flatMap(look => look(facts) ?? []);
}

function broken({ name, state, lastError }: BridgeFacts): string[] {
  const isDown = state === 'waiting' || state === 'stopped' || (state === 'connecting' && lastError !== null);
  return isDown
    ? [`bridge ${name} is not connected (zancudo bridges): ${lastError?.message ?? 'no reason is known'}`]
    : [];
}

function ending({ kind, of, subject, ends }: CertificateStatus, now: number): string[] {
  const left = ends - now;
  if (left > soonMs) return [];
  const what = kind === 'device' ? `the certificate of device ${subject.replace(/^CN=/, '')}` : `the ${kind} of ${of}`;
  return [left <= 0 ? `${what} has ended` : `${what} ends in ${daysText(left)}`];
}

/** Plain, open to everybody, and on the network: all three together are hardly meant. */
function exposed({ name, encrypted, reach, login }: ListenerStatus): string[] {
  if (reach !== 'the network' || encrypted) return [];
  return [
    login === 'nothing'
      ? `${name} lets everybody on the network in, without TLS`
      : `${name} takes passwords from the network without TLS`,
  ];
}

function refusedText({ refusals }: Readonly<Meter>): string | null {
  const causes = [...refusals].filter(([, count]) => count >= refusedAtLeast);
  if (causes.length === 0) return null;
  return `connections were refused: ${causes.map(([cause, count]) => `${count} ${cause}`).join(', ')}`;
}

const many = (count: number, what: string): string | null => (count > 0 ? `${count} ${what}` : null);
const percent = (share: number): string => `${Math.round(share * 100)} %`;
