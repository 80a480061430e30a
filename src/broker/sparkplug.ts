/**
 * Sparkplug 3.0, 10.2 "Sparkplug Aware MQTT Server": birth certificates can be asked for at any time.
 *
 *   spBv1.0/G/NBIRTH/E      goes out as ever, and then   $sparkplug/certificates/spBv1.0/G/NBIRTH/E      retained
 *   spBv1.0/G/DBIRTH/E/D
 *
 * The copy is the broker's own: no access rule is asked whether it may be kept, only who may read it.
 */
import { Message } from '../session/mod.ts';
import type { Broker } from './broker.ts';
import type { Identity } from './ports.ts';
import { Publication } from './publication.ts';
import { retain } from './retained.ts';
import { route } from './route.ts';

const NAMESPACE = 'spBv1.0/';
const birth = /^spBv1\.0\/[^/]*\/(?:NBIRTH\/[^/]*|DBIRTH\/[^/]*\/[^/]*)$/;

/** To be called behind the publication itself, which goes out first. */
export function keepBirthCertificate(broker: Broker, publication: Publication): void {
  const { topic, publisher } = publication;
  if (!topic.name.startsWith(NAMESPACE) || !birth.test(topic.name)) return;
  if (publisher === null || !broker.sparkplugAware.has(publisher.listener)) return;
  const kept = broker.topics.findText(`$sparkplug/certificates/${topic.name}`);
  // Too long with what is in front of it.
  if (kept === null) return;
  const { payload, properties, qos, expiresAt } = publication.stable();
  const copy = new Message<Identity>(kept.name, kept.bytes, payload, properties, qos, true, expiresAt, null);
  const republication = new Publication(broker.payloads).fromMessage(copy, kept);
  retain(broker, republication);
  route(broker, republication);
}
