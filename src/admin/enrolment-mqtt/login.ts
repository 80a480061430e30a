/**
 * Who is let in to enrol or to renew, and to do nothing else (ServicePass in broker/ports.ts):
 *
 *   password = an open token, user name `enroll` or the device's   ->  may only enrol
 *   certificate of ours that has expired, within the grace period  ->  may only renew it
 *
 * A password that cannot be a token is nobody's business here: the other authenticators see it untouched.
 */
import type { AuthenticationRequest, ListenerRules, ServicePass } from '../../broker/ports.ts';
import { EnrolmentRefusal, isTokenText } from '../../pki/mod.ts';
import type { AuthenticationAnswer, Authenticator } from '../../security/mod.ts';
import { ENROL_TOPIC, type EnrolmentPorts, RENEW_TOPIC } from './service.ts';

/** For devices that do not know their name yet: the token says which it is. */
const ANYBODY = 'enroll';

export function tokenLogin(ports: EnrolmentPorts): Authenticator {
  return { authenticate: request => byToken(ports, request) };
}

function byToken({ officeOf, clock }: EnrolmentPorts, request: AuthenticationRequest): AuthenticationAnswer {
  const { password, username, peer, address } = request;
  const token = password?.toString() ?? '';
  if (!isTokenText(token)) return 'ignore';
  const office = officeOf(peer.listener);
  if (office === null) return 'ignore';
  const invite = office.inviteFor(token, { address, now: clock.wall() });
  if (invite instanceof EnrolmentRefusal) return refused(invite, username);
  if (username === null || username === ANYBODY || username === invite.name) {
    return { allow: { topics: [ENROL_TOPIC], limit: `may only enrol as ${invite.name}`, shown: token } };
  }
  return { deny: `its token is for the device ${invite.name}: the user name must be that or "${ANYBODY}"` };
}

/** What looks like a token may still be somebody's password. */
function refused({ code, log }: EnrolmentRefusal, username: string | null): AuthenticationAnswer {
  return code === 'token-unknown' && username !== null && username !== ANYBODY ? 'ignore' : { deny: log };
}

/** What an expired certificate is still good for; null for nothing. */
export function passForExpired(
  { officeOf, clock }: EnrolmentPorts,
  listener: ListenerRules,
  certificate: Uint8Array,
): ServicePass | null {
  const standing = officeOf(listener)?.standing(certificate, clock.wall());
  if (standing === undefined || standing instanceof EnrolmentRefusal || standing.state !== 'grace') return null;
  return { topics: [RENEW_TOPIC], limit: 'may only renew its certificate, which has expired', shown: null };
}
