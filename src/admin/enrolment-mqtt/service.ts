/**
 * The MQTT door to the enrolment office (pki/enrolment/): devices that speak nothing but MQTT get and renew their
 * certificates by PUBLISH.
 *
 *   $CA/v1/enroll   certificate request + token             the token of the login, or one in the payload
 *   $CA/v1/renew    certificate request + the certificate   that the TLS handshake has proved
 *
 * Who may come this far without an account is decided by login.ts; here everybody is asked for what they have
 * to show. Tokens are neither logged nor sent back.
 */
import type { Clock, ListenerRules, Log, ServiceRequest, TopicService } from '../../broker/ports.ts';
import { type Enrolled, type EnrolmentOffice, EnrolmentRefusal, timeText } from '../../pki/mod.ts';
import { type EnrolmentMessage, enrolledText, readEnrolmentMessage, refusalText } from './message.ts';

export const ENROL_TOPIC = '$CA/v1/enroll';
export const RENEW_TOPIC = '$CA/v1/renew';

/** As much as by HTTP; a request with a large RSA key has 2 kB. */
const PAYLOAD_BYTES_MAX = 65_536;

export interface EnrolmentPorts {
  /** The office of the CA behind a listener; null where nobody can enrol: wherever there is no TLS. */
  officeOf: (listener: ListenerRules) => EnrolmentOffice | null;
  clock: Pick<Clock, 'wall'>;
  log: Log;
}

type Outcome = Enrolled | EnrolmentRefusal;

export function enrolmentService(ports: EnrolmentPorts): TopicService {
  return {
    topics: [ENROL_TOPIC, RENEW_TOPIC],
    payloadBytesMax: PAYLOAD_BYTES_MAX,
    handle: request => {
      void answer(ports, request).then(
        outcome => finish(ports, request, outcome),
        (error: unknown) => fail(ports, request, error),
      );
    },
  };
}

async function answer(ports: EnrolmentPorts, request: ServiceRequest): Promise<Outcome> {
  const office = ports.officeOf(request.peer.listener);
  if (office === null) {
    const log = `no CA is behind ${request.peer.listener.name}`;
    return new EnrolmentRefusal('unavailable', 'nobody can enrol on this port', log);
  }
  const message = readEnrolmentMessage(request.payload);
  if (typeof message === 'string') return new EnrolmentRefusal('request-refused', message);
  return request.topic === ENROL_TOPIC
    ? enrol(ports, office, request, message)
    : renew(ports, office, request, message);
}

async function enrol(
  { clock }: EnrolmentPorts,
  office: EnrolmentOffice,
  { peer, shown }: ServiceRequest,
  message: EnrolmentMessage,
): Promise<Outcome> {
  const token = message.token ?? (typeof shown === 'string' ? shown : null);
  if (token === null) return new EnrolmentRefusal('token-unknown', 'a token is needed, as the password or as "token"');
  return office.redeem(token, message.request, { address: peer.address, now: clock.wall() });
}

async function renew(
  { clock }: EnrolmentPorts,
  office: EnrolmentOffice,
  { peer }: ServiceRequest,
  message: EnrolmentMessage,
): Promise<Outcome> {
  const certificate = peer.certificateDer?.() ?? null;
  if (certificate === null) {
    const log = 'it showed no certificate, or none was asked for on this listener';
    return new EnrolmentRefusal('certificate-missing', 'connect with the certificate that is to be renewed', log);
  }
  return office.renew(certificate, message.request, { address: peer.address, now: clock.wall() });
}

function finish({ log }: EnrolmentPorts, request: ServiceRequest, outcome: Outcome): void {
  const { address, port, listener } = request.peer;
  const who = `${request.who.clientId} (${address}:${port} on ${listener.name})`;
  if (outcome instanceof EnrolmentRefusal) {
    log.write('notice', `${who} was given no certificate: ${outcome.log}`, {
      code: 'enrolment.refused',
      client: request.who.clientId,
      address,
      port,
      listener: listener.name,
      reason: outcome.code,
    });
    return request.reply(Buffer.from(refusalText(outcome)));
  }
  const ends = timeText(Date.parse(outcome.certificate.validTo));
  const how = request.topic === ENROL_TOPIC ? 'enrolled' : 'renewed its certificate';
  log.write('notice', `${who} ${how} as ${outcome.name}; the certificate is valid until ${ends}.`, {
    code: 'enrolment.issued',
    client: request.who.clientId,
    address,
    port,
    listener: listener.name,
    certificate: `CN=${outcome.name}`,
  });
  request.reply(Buffer.from(enrolledText(outcome)));
}

/** A mistake of ours; the device is told to try again. */
function fail(ports: EnrolmentPorts, request: ServiceRequest, error: unknown): void {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  ports.log.write('error', `Error: internal fault while enrolling. Please report: ${text}`, 'broker.fault');
  request.reply(
    Buffer.from(refusalText(new EnrolmentRefusal('unavailable', 'no certificate can be issued at present'))),
  );
}
