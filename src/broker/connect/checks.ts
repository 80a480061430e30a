/** The stages of CONNECT that look at the packet and the listener's rules, and change nothing outside the attempt. */
import { isLogCode } from '../../base/mod.ts';
import { reasonCodes, returnCodes } from '../../codec/mod.ts';
import { isValidTopicName } from '../../topics/mod.ts';
import { phraseFor } from '../endings.ts';
import { isServiceTopic } from '../services.ts';
import type { ConnectAttempt, ConnectRefusal, StageOutcome } from './attempt.ts';

function refusal(v3: number | null, v5: number | null, reason: string): ConnectRefusal {
  return { v3, v5, reason };
}

const notAuthorised = (): ConnectRefusal =>
  refusal(returnCodes.notAuthorized, reasonCodes.notAuthorized, phraseFor(reasonCodes.notAuthorized));

/** A peer whose certificate does not hold, or who talks plain MQTT to a TLS port, gets no further than this. */
export function checkPeer({ connection }: ConnectAttempt): StageOutcome {
  const { refusal: verdict, pass } = connection.peer;
  if (verdict === null || pass !== undefined) return undefined;
  // Why was logged by the listener when it saw it.
  const code = isLogCode(verdict.code) ? verdict.code : 'client.refused';
  return { ...notAuthorised(), reasonString: verdict.reason, code };
}

/** [MQTT-3.1.3-5] to [MQTT-3.1.3-8] */
export function checkClientId(attempt: ConnectAttempt): StageOutcome {
  if (attempt.clientId !== '') return undefined;
  const { version, cleanStart } = attempt.packet;
  const { allowZeroLengthClientId, autoIdPrefix } = attempt.connection.peer.listener;
  const rejected = refusal(
    returnCodes.identifierRejected,
    allowZeroLengthClientId ? reasonCodes.clientIdentifierNotValid : reasonCodes.unspecifiedError,
    phraseFor(reasonCodes.clientIdentifierNotValid),
  );
  if (version === 3) return { ...rejected, protocolText: 'v3.1 CONNECT with zero length clientid.' };
  if (!allowZeroLengthClientId || (version === 4 && !cleanStart)) {
    return { ...rejected, protocolText: 'CONNECT with zero length clientid when forbidden.' };
  }
  attempt.clientId = autoIdPrefix + attempt.broker.uuid().toUpperCase();
  attempt.assigned = true;
  return undefined;
}

/** Certificate, PSK or PROXY header to user name, user name to client identifier (docs/compat/password-acl.md, 4). */
export function nameClient(attempt: ConnectAttempt): StageOutcome {
  const { useIdentityAsUsername, useSubjectAsUsername, useUsernameAsClientId } = attempt.connection.peer.listener;
  if (useIdentityAsUsername || useSubjectAsUsername) {
    const refused = nameFromCertificate(attempt, useIdentityAsUsername);
    if (refused !== undefined) return refused;
  }
  if (!useUsernameAsClientId) return undefined;
  if (attempt.username === null) {
    return { ...notAuthorised(), because: 'use_username_as_clientid is set and this client gave no user name.' };
  }
  attempt.clientId = attempt.username;
  attempt.assigned = false;
  return undefined;
}

function nameFromCertificate(attempt: ConnectAttempt, byIdentity: boolean): StageOutcome {
  const { peer } = attempt.connection;
  if (peer.proxied === true) {
    // Unlike a certificate we saw ourselves, the proxy's word does not replace the login check.
    if (peer.proxiedCommonName === null) return undefined;
    attempt.username = peer.proxiedCommonName;
    attempt.password = null;
    return undefined;
  }
  const name = byIdentity ? (peer.pskIdentity ?? peer.certificate?.commonName) : peer.certificate?.subject;
  // Asked and not answered: the client logs in as it would without certificates.
  if (peer.certificate === null && peer.pskIdentity === null && peer.listener.requestCertificate) return undefined;
  if (name === undefined || name === null) {
    const option = byIdentity ? 'use_identity_as_username' : 'use_subject_as_username';
    return {
      ...refusal(
        returnCodes.badUserNameOrPassword,
        reasonCodes.badUserNameOrPassword,
        phraseFor(reasonCodes.badUserNameOrPassword),
      ),
      because: `${option} is set on ${peer.listener.name}, but this client showed no certificate with a usable name; is require_certificate true there?`,
    };
  }
  attempt.username = name;
  attempt.password = null;
  attempt.proved = true;
  return undefined;
}

export function checkPrefix({ broker, clientId, connection }: ConnectAttempt): StageOutcome {
  const prefix = broker.settings.clientIdPrefix;
  if (clientId.startsWith(prefix) || connection.peer.listener.bridge !== undefined) return undefined;
  return { ...notAuthorised(), because: `its client id does not start with "${prefix}" (clientid_prefixes).` };
}

export function checkWill({ broker, connection, packet }: ConnectAttempt): StageOutcome {
  const { will } = packet;
  if (will === null) return undefined;
  const { settings } = broker;
  if (will.retain && !settings.retainAvailable) {
    return refusal(null, reasonCodes.retainNotSupported, phraseFor(reasonCodes.retainNotSupported));
  }
  if (will.qos > connection.peer.listener.maxQos) {
    return refusal(null, reasonCodes.qosNotSupported, phraseFor(reasonCodes.qosNotSupported));
  }
  if (!isValidTopicName(will.topicName) || isServiceTopic(will.topicName)) {
    return refusal(null, null, phraseFor(reasonCodes.protocolError));
  }
  if (settings.messageSizeLimitBytes > 0 && will.payload.length > settings.messageSizeLimitBytes) {
    if (broker.log.debug) broker.log.write('debug', `Client ${packet.clientId} connected with too large Will payload`);
    return refusal(returnCodes.notAuthorized, reasonCodes.packetTooLarge, 'oversize payload');
  }
  return undefined;
}

/** 3.x has no way to be told a shorter keep alive, so it is refused (docs/compat/packets.md, 2). [MQTT-3.2.2-21] */
export function applyKeepAlive(attempt: ConnectAttempt): StageOutcome {
  const maximum = attempt.broker.settings.maxKeepaliveSeconds;
  const asked = attempt.packet.keepAlive;
  if (maximum === 0 || (asked !== 0 && asked <= maximum)) return undefined;
  if (attempt.connection.peer.listener.bridge !== undefined) return undefined;
  if (attempt.packet.version === 5) {
    attempt.keepAlive = maximum;
    return undefined;
  }
  return {
    ...refusal(returnCodes.identifierRejected, null, phraseFor(reasonCodes.clientIdentifierNotValid)),
    because: `its keep alive of ${asked} s is not within max_keepalive ${maximum}.`,
  };
}
