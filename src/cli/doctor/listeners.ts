/**
 * What the listeners of a configuration let happen: who comes in, over what, by whose word. A table of checks, each of
 * which looks at one listener and says nothing or one finding.
 */
import { BlockList, isIP } from 'node:net';
import os from 'node:os';
import type { Finding } from '../../base/mod.ts';
import { listenerKey, type ListenerSettings, type Settings } from '../../conf/mod.ts';

type Check = (listener: ListenerSettings, settings: Settings) => Finding | null;

const checks: readonly Check[] = [anonymous, nobody, clearText, certificateWithoutCa, nobodyElse];

export function explainListeners(settings: Settings): Finding[] {
  if (settings.localOnly) return [localOnly(settings)];
  return settings.listeners.flatMap(listener => checks.flatMap(check => check(listener, settings) ?? []));
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8);
loopback.addAddress('::1', 'ipv6');

function isLocal({ host, unixPath }: ListenerSettings): boolean {
  if (unixPath !== null || host === 'localhost') return true;
  return host !== null && isIP(host) !== 0 && loopback.check(host, isIP(host) === 6 ? 'ipv6' : 'ipv4');
}

function isSecure({ certfile, pskHint, enableProxyProtocol }: ListenerSettings): boolean {
  return certfile !== null || pskHint !== null || enableProxyProtocol !== 0;
}

function whereOf(listener: ListenerSettings, option: string | null, settings: Settings): string {
  const place =
    (option === null ? undefined : (listener.places[option] ?? listener.security.places[option])) ?? listener.place;
  return place === null ? (settings.path ?? 'configuration') : `${place.file}:${place.line}`;
}

function anonymous(listener: ListenerSettings, settings: Settings): Finding | null {
  const { allowAnonymous, requireCertificate, pskHint } = listener;
  if (!allowAnonymous || requireCertificate || pskHint !== null || isLocal(listener)) return null;
  const option = listener.places['listener_allow_anonymous'] ? 'listener_allow_anonymous' : 'allow_anonymous';
  return {
    code: 'access.anonymous',
    severity: 'warning',
    where: whereOf(listener, option, settings),
    saw: `${listenerKey(listener)} lets in everybody, without a password`,
    why: 'Whoever reaches the port can read and send everything that the access rules do not forbid.',
    remedy: [
      'zancudo passwd -c /etc/mosquitto/passwords NAME',
      `${option} false`,
      'password_file /etc/mosquitto/passwords',
    ],
  };
}

/** The surprise of Mosquitto 2: with a listener in the file, nobody may come in unless the file says who. */
function nobody(listener: ListenerSettings, settings: Settings): Finding | null {
  const { allowAnonymous, security, pskHint, useIdentityAsUsername, useSubjectAsUsername, requireCertificate } = listener;
  const byCertificate = (useIdentityAsUsername || useSubjectAsUsername) && (requireCertificate || listener.requestCertificate);
  if (allowAnonymous || security.passwordFile !== null || pskHint !== null || byCertificate) return null;
  if (settings.plugins.length > 0) return null;
  return {
    code: 'access.nobody',
    severity: 'error',
    where: whereOf(listener, 'allow_anonymous', settings),
    saw: `${listenerKey(listener)} lets in nobody: there is neither a password file nor anonymous access`,
    why:
      'Since Mosquitto 2 allow_anonymous is false unless the file says otherwise, and every client gets ' +
      '"Connection Refused: not authorised".',
    remedy: ['zancudo passwd -c /etc/mosquitto/passwords NAME', 'password_file /etc/mosquitto/passwords'],
  };
} // prettier-ignore

function clearText(listener: ListenerSettings, settings: Settings): Finding | null {
  if (isSecure(listener) || isLocal(listener)) return null;
  const reached = listener.host ?? reachableAddresses().join(', ');
  return {
    code: 'listener.clear-text',
    severity: 'warning',
    where: whereOf(listener, null, settings),
    saw: `${listenerKey(listener)} speaks without TLS${reached === '' ? '' : `, and is reached from outside at ${reached}`}`,
    why: 'Passwords and messages can be read and changed by everybody on the way.',
    remedy: [
      `For this machine only: listener ${listener.port} 127.0.0.1`,
      'For others with TLS: certfile and keyfile below it (zancudo ca issue server NAME ADDRESS makes both)',
    ],
  };
}

function reachableAddresses(): string[] {
  const all = Object.values(os.networkInterfaces()).flatMap(each => each ?? []);
  return all.filter(each => !each.internal && !each.address.startsWith('fe80')).map(each => each.address);
}

function certificateWithoutCa(listener: ListenerSettings, settings: Settings): Finding | null {
  const { requireCertificate, cafile, capath, certfile } = listener;
  if (!requireCertificate || certfile === null || cafile !== null || capath !== null) return null;
  return {
    code: 'access.certificate-without-ca',
    severity: 'error',
    where: whereOf(listener, 'require_certificate', settings),
    saw: `${listenerKey(listener)} requires client certificates and trusts no CA`,
    why: 'Without cafile or capath no certificate of a client is good, so nobody gets in.',
    remedy: ['cafile FILE   (the CA that has issued the certificates of your devices)'],
  };
}

/** The certificate proves who it is, and is then not asked. */
function nobodyElse(listener: ListenerSettings, settings: Settings): Finding | null {
  const { requireCertificate, useIdentityAsUsername, useSubjectAsUsername, security } = listener;
  const asksForMore = security.passwordFile !== null || security.dynamicSecurity !== null;
  if (!requireCertificate || useIdentityAsUsername || useSubjectAsUsername || asksForMore) return null;
  return {
    code: 'access.certificate-without-name',
    severity: 'note',
    where: whereOf(listener, 'require_certificate', settings),
    saw: `${listenerKey(listener)} requires a certificate and does not look at the name in it`,
    why: 'All devices are alike then: access rules cannot tell one from the other.',
    remedy: ['use_identity_as_username true'],
  };
}

function localOnly({ path }: Settings): Finding {
  return {
    code: 'listener.local-only',
    severity: 'note',
    where: path ?? 'configuration',
    saw: 'no listener is configured: the broker serves this machine only, on port 1883, without a password',
    why: 'Since Mosquitto 2 other machines, and containers, are not served unless the file says so.',
    remedy: [
      'listener 8883   (with certfile and keyfile below it), or run zancudo without -c: TLS is set up by itself',
    ],
  };
}
