/** The way of a client that is in this process, without a socket: its own listener, where nobody is asked for a proof. */
import type { ListenerRules, Peer } from '../broker/ports.ts';
import { LocalPair } from '../bridge/mod.ts';
import type { Wire } from '../client/mod.ts';
import type { RunningBroker } from '../server/mod.ts';

const rules: ListenerRules = {
  name: 'this process',
  port: 0,
  host: null,
  unixPath: null,
  protocol: 'mqtt',
  acceptProtocolVersions: [3, 4, 5],
  allowAnonymous: true,
  allowZeroLengthClientId: true,
  autoIdPrefix: 'process-',
  maxConnections: -1,
  maxQos: 2,
  maxTopicAlias: 0,
  maxTopicAliasBroker: 0,
  persistence: true,
  mountPoint: '',
  requireCertificate: false,
  requestCertificate: false,
  useIdentityAsUsername: false,
  useSubjectAsUsername: false,
  useUsernameAsClientId: false,
  // Whoever runs the broker is asked for nothing, as its bridges are not.
  bridge: { keepsQos0: false, startsOver: false },
};

const peer: Peer = {
  address: 'this process',
  port: 0,
  listener: rules,
  tls: null,
  certificate: null,
  pskIdentity: null,
  proxiedCommonName: null,
  refusal: null,
};

export function wireInto({ broker }: RunningBroker): Wire {
  const pair = new LocalPair();
  broker.accept(pair.link, peer);
  return pair.wire;
}
