/** Clients as plugins see them: one object for each identity, which nobody can change. */
import type { AuthenticationRequest, Identity } from '../broker/ports.ts';
import type { Client, Login } from './types.ts';

const known = new WeakMap<Identity, Client>();

export function clientOf(who: Identity): Client {
  let client = known.get(who);
  if (client === undefined) known.set(who, (client = Object.freeze(factsOf(who))));
  return client;
}

function factsOf({ clientId, username, address, listener, certificate }: Identity): Client {
  return { clientId, username, address, listener: listener.name, certificate: certificate ?? null };
}

export function loginOf(request: AuthenticationRequest): Login {
  const { password, peer } = request;
  const shown = peer.certificate;
  const certificate = shown?.fingerprint256 ?? null;
  return { ...factsOf(request), certificate, password, port: peer.port, tls: peer.tls, shown };
}
