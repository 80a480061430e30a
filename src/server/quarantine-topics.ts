/** Who is in quarantine, told where operators listen: $SYS/zancudo/quarantine/DEVICE, retained while it lasts. */
import { attemptText, type Quarantined } from '../security/mod.ts';
import type { RunningBroker } from './assemble.ts';

const root = '$SYS/zancudo/quarantine';

/** `held` is null when the device is let out. */
export function tellOfQuarantine({ broker, settings }: RunningBroker, device: string, held: Quarantined | null): void {
  if (settings.sysIntervalSeconds === 0) return;
  const payload = held === null ? '' : JSON.stringify(factsOf(held));
  // Access control speaks while a packet is being read, and the broker has one place for the packet at hand.
  queueMicrotask(() => broker.publish(`${root}/${device}`, Buffer.from(payload), { qos: 2, retain: true }));
}

export function factsOf(held: Quarantined): {
  device: string;
  clientId: string;
  address: string;
  attempt: string;
  because: string;
  since: number;
} {
  const { device, who, because, since } = held;
  return { device, clientId: who.clientId, address: who.address, attempt: attemptText(held), because, since };
}
