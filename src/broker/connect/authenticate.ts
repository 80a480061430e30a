/** Who are you? The one stage of CONNECT that may have to wait. */
import { reasonCodes, returnCodes } from '../../codec/mod.ts';
import { beginEnhanced } from '../auth.ts';
import { phraseFor } from '../endings.ts';
import type { AuthenticationRequest, Verdict } from '../ports.ts';
import type { ConnectAttempt, StageOutcome } from './attempt.ts';

export function authenticate(attempt: ConnectAttempt): StageOutcome | Promise<StageOutcome> {
  const { packet, broker } = attempt;
  const request = requestOf(attempt);
  const method = packet.properties.authenticationMethod;
  if (method !== undefined) return beginEnhanced(attempt, method, request);
  if (attempt.proved) return setIdentity(attempt);
  const verdict = broker.access.authenticate(request);
  if (verdict instanceof Promise) return verdict.then(answer => onVerdict(attempt, answer));
  return onVerdict(attempt, verdict);
}

function onVerdict(attempt: ConnectAttempt, verdict: Verdict): StageOutcome {
  return verdict.allowed ? setIdentity(attempt) : notAuthorised(verdict.because);
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
  connection.identity = { clientId, username, listener: peer.listener, address: peer.address };
  return undefined;
}
