/**
 * `$share/group/filter` (MQTT 5, 4.8.2): each message goes to one member of the group, in strict rotation by order of
 * joining; members who are away take their turn and find the message in their queue. A member that may not read the
 * topic or cannot take the message is passed over, so that the group does not lose it.
 */
import { mustWaitToRead } from './asking.ts';
import type { Broker } from './broker.ts';
import { deliver, holdBack } from './deliver.ts';
import type { Publication } from './publication.ts';
import type { BrokerGroup, BrokerSubscription } from './types.ts';

export function deliverToGroup(broker: Broker, publication: Publication, group: BrokerGroup): boolean {
  const { members } = group;
  for (let tries = 0; tries < members.length; tries++) {
    if (group.next >= members.length) group.next = 0;
    const member = members[group.next++]!;
    // Should it not be allowed to read it, the message is lost to the group: nobody else can wait for that.
    if (broker.access.asks === true && mustWaitToRead(broker, member.session, publication.topic.name)) {
      return holdBack(broker, publication, member);
    }
    if (!broker.access.mayRead(member.session.owner!, publication.topic.name)) {
      broker.meter.publishDenied++;
      broker.drops.note(member.session.clientId, 'denied', publication.payloadLength, broker.unixSecond);
    } else if (deliver(broker, publication, member)) return true;
  }
  return false;
}

/** The group of this name on this filter, made when its first member comes. */
export function groupFor(broker: Broker, group: string, topicFilter: string): BrokerGroup {
  const key = `${group}/${topicFilter}`;
  let found = broker.groups.get(key);
  if (found === undefined) {
    found = { key, topicFilter, members: [], next: 0 };
    broker.groups.set(key, found);
  }
  return found;
}

export function join(broker: Broker, group: BrokerGroup, member: BrokerSubscription): void {
  if (group.members.length === 0) broker.tree.addShared(member.topicFilter, group);
  group.members.push(member);
}

export function leave(broker: Broker, group: BrokerGroup, member: BrokerSubscription): void {
  const at = group.members.indexOf(member);
  if (at === -1) return;
  group.members.splice(at, 1);
  if (at < group.next) group.next--;
  if (group.members.length > 0) return;
  broker.tree.removeShared(member.topicFilter, group);
  broker.groups.delete(group.key);
}
