/** Who is at the near end of a LocalPair: nobody's listener, no socket, and nobody asked for a proof. */
import type { ListenerRules, Peer } from '../broker/ports.ts';

export function localPeer(
  address: string,
  rules: Partial<ListenerRules> & Pick<ListenerRules, 'name' | 'bridge'>,
): Peer {
  return {
    address,
    port: 0,
    listener: { ...openRules, ...rules },
    tls: null,
    certificate: null,
    pskIdentity: null,
    proxiedCommonName: null,
    refusal: null,
  };
}

const openRules: Omit<ListenerRules, 'name'> = {
  port: 0,
  host: null,
  unixPath: null,
  protocol: 'mqtt',
  acceptProtocolVersions: [3, 4, 5],
  allowAnonymous: true,
  allowZeroLengthClientId: true,
  autoIdPrefix: '',
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
};
