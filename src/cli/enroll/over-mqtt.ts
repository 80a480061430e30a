/** Enrolment over MQTT: a request to `$CA/v1/enroll` or `$CA/v1/renew`, the answer on its `/response`. */
import { connect, type ConnectOptions } from '../../client/mod.ts';
import type { Counter, Door, Issued } from './door.ts';
import { EnrolFault } from './fault.ts';

const ENROL_TOPIC = '$CA/v1/enroll';
const RENEW_TOPIC = '$CA/v1/renew';

/** The broker waits for a disk and its own reload, not for people. */
const answerMs = 30_000;

export const overMqtt: Door = {
  enrol: (counter, name, token, request) => ask(counter, ENROL_TOPIC, request, { username: name, password: token }),
  renew: (counter, { certificate, key }, request) =>
    ask({ ...counter, tls: { ...counter.tls, cert: certificate, key } }, RENEW_TOPIC, request, {}),
};

async function ask(
  { host, port, tls }: Omit<Counter, 'tls'> & { tls: NonNullable<ConnectOptions['tls']> },
  topic: string,
  request: Buffer,
  login: Pick<ConnectOptions, 'username' | 'password'>,
): Promise<Issued> {
  const answer = Promise.withResolvers<Buffer>();
  const client = await connect({
    host,
    port,
    tls,
    ...login,
    reconnect: false,
    onMessage: message => {
      if (message.topic === `${topic}/response`) answer.resolve(Buffer.from(message.payload));
    },
    onLost: error => answer.reject(error),
  });
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
