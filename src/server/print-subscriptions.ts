/** SIGUSR2: who is subscribed to what, on standard output. */
import type { Broker } from '../broker/mod.ts';

export function printSubscriptions(broker: Broker, out: NodeJS.WritableStream): void {
  for (const { filter, values, shared } of broker.tree.filters()) {
    for (const value of [...values, ...shared]) {
      if ('members' in value) {
        const members = value.members.map(member => member.session.clientId).join(', ');
        out.write(`$share/${value.key} (${members})\n`);
      } else out.write(`${filter} (${value.session.clientId}, ${value.qos})\n`);
    }
  }
}
