/** Who can reach a listener, and what they have to show there. */
import { isIP } from 'node:net';
import type { ListenerStatus } from '../admin/mod.ts';
import type { ListenerSettings } from '../conf/mod.ts';
import type { Listener } from '../listeners/mod.ts';
import type { RunningBroker } from './assemble.ts';

export function listenerStatus(running: RunningBroker): ListenerStatus[] {
  return running.listeners.opened.map(listener => {
    const { rules, tls, connections } = listener;
    const settings = running.settings.listeners[running.rules.indexOf(rules)];
    return {
      name: rules.name,
      protocol: rules.protocol,
      addresses: listener.addresses.map(addressText),
      encrypted: tls !== null,
      reach: isLocal(listener) ? 'this machine' : 'the network',
      login: settings === undefined ? '' : loginText(settings),
      connections,
    };
  });
}

type Bound = Listener['addresses'][number];

export function isLocal({ addresses }: Pick<Listener, 'addresses'>): boolean {
  return addresses.every(at => typeof at === 'string' || at.address === '::1' || at.address.startsWith('127.'));
}

function addressText(at: Bound): string {
  if (typeof at === 'string') return at;
  return isIP(at.address) === 6 ? `[${at.address}]:${at.port}` : `${at.address}:${at.port}`;
}

/** What lets a client in, in the words of a sentence. */
export function loginText(listener: ListenerSettings): string {
  const { requireCertificate, requestCertificate, useIdentityAsUsername, useSubjectAsUsername, pskHint } = listener;
  const named = useIdentityAsUsername || useSubjectAsUsername;
  if (pskHint !== null) return named ? 'a pre-shared key' : and('a pre-shared key', listener);
  if (requireCertificate) return named ? 'a certificate' : and('a certificate', listener);
  if (requestCertificate && named)
    return listener.allowAnonymous ? 'nothing' : `a certificate or ${nameText(listener)}`;
  return listener.allowAnonymous ? 'nothing' : nameText(listener);
}

function and(proof: string, listener: ListenerSettings): string {
  return listener.allowAnonymous ? proof : `${proof} and ${nameText(listener)}`;
}

function nameText({ security }: ListenerSettings): string {
  const isKnownToNobody = security.passwordFile === null && security.dynamicSecurity === null;
  return isKnownToNobody ? 'a login that nobody has' : 'a password';
}
