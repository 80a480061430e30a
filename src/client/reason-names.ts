/** Reason and return codes in words, as Mosquitto's tools print them. */
import { reasonCodes, type ReasonCode } from '../codec/mod.ts';

const names: Record<ReasonCode, string> = {
  [reasonCodes.success]: 'Success',
  [reasonCodes.grantedQos1]: 'Granted QoS 1',
  [reasonCodes.grantedQos2]: 'Granted QoS 2',
  [reasonCodes.disconnectWithWill]: 'Disconnect with Will Message',
  [reasonCodes.noMatchingSubscribers]: 'No matching subscribers',
  [reasonCodes.noSubscriptionExisted]: 'No subscription existed',
  [reasonCodes.continueAuthentication]: 'Continue authentication',
  [reasonCodes.reAuthenticate]: 'Re-authenticate',
  [reasonCodes.unspecifiedError]: 'Unspecified error',
  [reasonCodes.malformedPacket]: 'Malformed Packet',
  [reasonCodes.protocolError]: 'Protocol Error',
  [reasonCodes.implementationSpecificError]: 'Implementation specific error',
  [reasonCodes.unsupportedProtocolVersion]: 'Unsupported Protocol Version',
  [reasonCodes.clientIdentifierNotValid]: 'Client Identifier not valid',
  [reasonCodes.badUserNameOrPassword]: 'Bad User Name or Password',
  [reasonCodes.notAuthorized]: 'Not authorized',
  [reasonCodes.serverUnavailable]: 'Server unavailable',
  [reasonCodes.serverBusy]: 'Server busy',
  [reasonCodes.banned]: 'Banned',
  [reasonCodes.serverShuttingDown]: 'Server shutting down',
  [reasonCodes.badAuthenticationMethod]: 'Bad authentication method',
  [reasonCodes.keepAliveTimeout]: 'Keep Alive timeout',
  [reasonCodes.sessionTakenOver]: 'Session taken over',
  [reasonCodes.topicFilterInvalid]: 'Topic Filter invalid',
  [reasonCodes.topicNameInvalid]: 'Topic Name invalid',
  [reasonCodes.packetIdentifierInUse]: 'Packet Identifier in use',
  [reasonCodes.packetIdentifierNotFound]: 'Packet Identifier not found',
  [reasonCodes.receiveMaximumExceeded]: 'Receive Maximum exceeded',
  [reasonCodes.topicAliasInvalid]: 'Topic Alias invalid',
  [reasonCodes.packetTooLarge]: 'Packet too large',
  [reasonCodes.messageRateTooHigh]: 'Message rate too high',
  [reasonCodes.quotaExceeded]: 'Quota exceeded',
  [reasonCodes.administrativeAction]: 'Administrative action',
  [reasonCodes.payloadFormatInvalid]: 'Payload format invalid',
  [reasonCodes.retainNotSupported]: 'Retain not supported',
  [reasonCodes.qosNotSupported]: 'QoS not supported',
  [reasonCodes.useAnotherServer]: 'Use another server',
  [reasonCodes.serverMoved]: 'Server moved',
  [reasonCodes.sharedSubscriptionsNotSupported]: 'Shared Subscriptions not supported',
  [reasonCodes.connectionRateExceeded]: 'Connection rate exceeded',
  [reasonCodes.maximumConnectTime]: 'Maximum connect time',
  [reasonCodes.subscriptionIdentifiersNotSupported]: 'Subscription identifiers not supported',
  [reasonCodes.wildcardSubscriptionsNotSupported]: 'Wildcard Subscriptions not supported',
};

export function reasonName(reasonCode: number): string {
  return names[reasonCode as ReasonCode] ?? 'Unknown reason';
}

/** CONNACK of MQTT 3.x. */
const returnCodeNames: Record<number, string> = {
  0: 'Connection Accepted',
  1: 'Connection Refused: unacceptable protocol version',
  2: 'Connection Refused: identifier rejected',
  3: 'Connection Refused: broker unavailable',
  4: 'Connection Refused: bad user name or password',
  5: 'Connection Refused: not authorised',
};

export function returnCodeName(returnCode: number): string {
  return returnCodeNames[returnCode] ?? 'Connection Refused: unknown reason';
}
