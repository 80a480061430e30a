/** Enrolment over MQTT: a request to `$CA/v1/enroll` or `$CA/v1/renew`, the answer on its `/response`. */
import { type Client, ClientError, connect, type ConnectOptions } from '../../client/mod.ts';
import type { Counter, Door, Issued } from './door.ts';
import { EnrolFault } from './fault.ts';

const ENROL_TOPIC = '$CA/v1/enroll';
const RENEW_TOPIC = '$CA/v1/renew';

const NOT_AUTHORIZED = 0x87;

/** The broker waits for a disk and its own reload, not for people. */
const answerMs = 30_000;

export const overMqtt: Door = {
  enrol: (counter, name, token, request) =>
    ask(counter, ENROL_TOPIC, request, { username: name, password: token }, tokenRefused(name)),
  renew: (counter, { certificate, key }, request) =>
    ask({ ...counter, tls: { ...counter.tls, cert: certificate, key } }, RENEW_TOPIC, request, {}, certificateRefused),
};

const tokenRefused = (name: string): EnrolFault =>
  new EnrolFault(
    `The broker did not take the token for ${name}: it is unknown, used, too old, or for another name or address.`,
    'The log of the broker says which of them. A new one, on the broker:',
    `zancudo device invite ${name}, with --again where it has enrolled before`,
  );

const certificateRefused = new EnrolFault(
  'The broker does not take this certificate any more: it is revoked, expired too long ago, or from another CA.',
  'The log of the broker says which of them. To enrol anew, on the broker: zancudo device invite NAME --again',
);

async function ask(
  { host, port, tls }: Omit<Counter, 'tls'> & { tls: NonNullable<ConnectOptions['tls']> },
  topic: string,
  request: Buffer,
  login: Pick<ConnectOptions, 'username' | 'password'>,
  refused: EnrolFault,
): Promise<Issued> {
  const answer = Promise.withResolvers<Buffer>();
  const options: ConnectOptions = {
    host,
    port,
    tls,
    ...login,
    reconnect: false,
    onMessage: message => {
      if (message.topic === `${topic}/response`) answer.resolve(Buffer.from(message.payload));
    },
    onLost: error => answer.reject(error),
  };
  const client = await letIn(options, refused);
  const timer = setTimeout(() => answer.reject(noAnswer(host)), answerMs);
  try {
    client.publish(topic, request, { qos: 1 }).then(
      ({ reasonCode }) => {
        if (reasonCode >= 0x80) answer.reject(notServed(host));
      },
      () => undefined, // The lost connection is told by onLost.
    );
    return issuedIn(await answer.promise);
  } finally {
    clearTimeout(timer);
    await client.disconnect();
  }
}

async function letIn(options: ConnectOptions, refused: EnrolFault): Promise<Client> {
  try {
    return await connect(options);
  } catch (error) {
    throw error instanceof ClientError && error.reasonCode === NOT_AUTHORIZED ? refused : error;
  }
}

function issuedIn(payload: Buffer): Issued {
  const fields = JSON.parse(payload.toString()) as Record<string, unknown>;
  const { certificate, chain, ca, error, reason } = fields;
  if (typeof certificate === 'string' && typeof ca === 'string') {
    return { certificate: certificate + (typeof chain === 'string' ? chain : ''), ca };
  }
  if (error === 'endpoint not available') throw notServed('the broker');
  throw new EnrolFault(`The broker gave no certificate: ${typeof reason === 'string' ? reason : String(error)}.`);
}

function noAnswer(host: string): EnrolFault {
  return new EnrolFault(`${host} did not answer within ${answerMs / 1000} s.`, 'Its log says what it waits for.');
}

function notServed(host: string): EnrolFault {
  return new EnrolFault(
    `Nobody can enrol at ${host} on this port.`,
    "The listener needs 'enrolment true' (a secure home has it), or is it another port?",
  );
}
