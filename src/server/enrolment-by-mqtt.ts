/** What the MQTT door to the enrolment office needs to know of listeners: where devices may enrol at all. */
import type { EnrolmentPorts } from '../admin/enrolment-mqtt/mod.ts';
import { systemClock } from '../base/mod.ts';
import type { ListenerRules } from '../broker/ports.ts';
import type { Settings } from '../conf/mod.ts';
import type { BrokerLog } from '../observability/mod.ts';
import type { EnrolmentOffice } from '../pki/mod.ts';

/** Null where no listener lets devices enrol. `rules` are in the order of settings.listeners. */
export function enrolmentPorts(
  { listeners }: Settings,
  rules: readonly ListenerRules[],
  log: BrokerLog,
  office: () => EnrolmentOffice | null,
): EnrolmentPorts | null {
  const enrolling = new Set(rules.filter((_, i) => listeners[i]?.enrolment === true));
  if (enrolling.size === 0) return null;
  return { officeOf: listener => (enrolling.has(listener) ? office() : null), clock: systemClock, log };
}
