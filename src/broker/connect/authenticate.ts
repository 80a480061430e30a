/** Who are you? The one stage of CONNECT that may have to wait. */
import { reasonCodes, returnCodes } from '../../codec/mod.ts';
import { beginEnhanced } from '../auth.ts';
import { phraseFor } from '../endings.ts';
import type { AuthenticationRequest, Identity, Peer, ServicePass, Verdict } from '../ports.ts';
import type { ConnectAttempt, StageOutcome } from './attempt.ts';
import { later } from './later.ts';

export function authenticate(attempt: ConnectAttempt): StageOutcome | Promise<StageOutcome> {
  const { packet, broker } = attempt;
  if (attempt.connection.peer.listener.bridge !== undefined) return setIdentity(attempt);
  const request = requestOf(attempt);
  const { refusal, pass, certificate } = attempt.connection.peer;
  if (refusal !== null && pass !== undefined) {
    attempt.username = certificate?.commonName ?? null;
    return admit(attempt, pass);
  }
  const method = packet.properties.authenticationMethod;
  if (method !== undefined) return beginEnhanced(attempt, method, request);
  if (attempt.proved) return setIdentity(attempt);
  const verdict = broker.access.authenticate(request);
  if (verdict instanceof Promise) return verdict.then(answer => onVerdict(attempt, answer));
  return onVerdict(attempt, verdict);
}

function onVerdict(attempt: ConnectAttempt, verdict: Verdict): StageOutcome | Promise<StageOutcome> {
  if (verdict.allowed) return admit(attempt, verdict.pass);
  return verdict.undecided === true ? notAuthorised(verdict.because) : refuseLogin(attempt, verdict.because);
}

/** What was shown does not hold. Whoever goes on guessing gets the answer later and later. */
export function refuseLogin(
  { broker, connection, username }: ConnectAttempt,
  because: string,
): StageOutcome | Promise<StageOutcome> {
  const refusal = notAuthorised(because);
  const wait = broker.doorkeeper.refused(connection.peer, username);
  return wait === 0 ? refusal : later(broker, wait, refusal);
}

function admit(attempt: ConnectAttempt, pass: ServicePass | undefined): undefined {
  attempt.connection.pass = pass ?? null;
  return setIdentity(attempt);
}

export function notAuthorised(because: string): StageOutcome {
  return {
    v3: returnCodes.notAuthorized,
    v5: reasonCodes.notAuthorized,
    reason: phraseFor(reasonCodes.notAuthorized),
    because,
  };
}

export function requestOf(attempt: ConnectAttempt): AuthenticationRequest {
  const { clientId, username, password, connection } = attempt;
  const { peer } = connection;
  return { clientId, username, password, peer, listener: peer.listener, address: peer.address };
}

export function setIdentity(attempt: ConnectAttempt): undefined {
  const { clientId, username, connection } = attempt;
  const { peer } = connection;
  const { listener, address } = peer;
  connection.identity = { clientId, username, listener, address, ...provedBy(peer) };
  return undefined;
}

function provedBy({ certificate, proxiedCommonName }: Peer): Pick<Identity, 'certificate' | 'vouchedName'> {
  if (certificate !== null) return { certificate: certificate.fingerprint256 };
  return proxiedCommonName === null ? {} : { vouchedName: proxiedCommonName };
}
