/** Who a line of the log is about. */
import type { About, LogCode } from '../base/mod.ts';
import type { Connection } from './connection.ts';
import type { Peer } from './ports.ts';

export function aboutPeer(code: LogCode, { address, port, listener, certificate }: Peer): About {
  return { code, address, port, listener: listener.name, certificate: certificate?.subject };
}

/** Before CONNECT is accepted its client identifier is not proved, and may be its address. */
export function aboutConnection(code: LogCode, { clientId, identity, peer }: Connection): About {
  const { address, port, listener, certificate } = peer;
  const subject = certificate?.subject;
  return {
    code,
    address,
    port,
    listener: listener.name,
    certificate: subject,
    client: clientId,
    user: identity.username,
  };
}
