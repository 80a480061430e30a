/** After a reload of passwords, certificates or rules: is everyone who is connected still allowed to be? */
import { reasonCodes } from '../codec/mod.ts';
import type { Broker } from './broker.ts';
import { requestOf } from './connect/authenticate.ts';
import { nameClient } from './connect/checks.ts';
import type { ConnectAttempt } from './connect/attempt.ts';
import type { Connection } from './connection.ts';
import { endConnection, phraseFor } from './endings.ts';
import type { ServicePass } from './ports.ts';

/**
 * Certificates first: they are judged at once, passwords one after the other as fast as they are hashed. The bridge bit
 * of CONNECT exempts nobody; anyone can set it.
 */
export async function recheckConnections(broker: Broker, onCutOff: (clientId: string) => void): Promise<void> {
  // Whoever has a pass is asked again by the service itself, with each request.
  const open = [...broker.connections].filter(
    ({ state, pass, peer }) => state === 'open' && pass === null && peer.listener.bridge === undefined,
  );
  for (const connection of open) recheckCertificate(broker, connection);
  for (const connection of open) {
    try {
      if (!connection.closed) await recheckLogin(broker, connection);
    } catch (error) {
      connection.fail(error);
    }
    if (connection.cutOff) onCutOff(connection.clientId);
  }
}

function recheckCertificate(broker: Broker, connection: Connection): void {
  try {
    const refusal = connection.peer.recheck?.() ?? null;
    if (refusal !== null) cutOff(broker, connection, reasonCodes.administrativeAction, refusal.reason);
  } catch (error) {
    connection.fail(error);
  }
}

async function recheckLogin(broker: Broker, connection: Connection): Promise<void> {
  const { username, password } = connection.credentials;
  const attempt = { broker, connection, clientId: connection.clientId, username, password, proved: false };
  const unnamed = nameClient(attempt as ConnectAttempt);
  if (unnamed !== undefined)
    return cutOff(broker, connection, reasonCodes.administrativeAction, 'its certificate no longer gives a user name.');
  if (connection.enhanced?.holds?.() === false)
    return cutOff(broker, connection, null, 'what it has proved by enhanced authentication no longer counts.');
  if (attempt.proved || connection.enhanced !== null) return;
  const verdict = await broker.access.authenticate(requestOf(attempt as ConnectAttempt));
  const refused = verdict.allowed ? becameLess(verdict.pass) : verdict;
  if (refused !== null && refused.undecided !== true) cutOff(broker, connection, null, refused.because);
  // Rules that cannot be had allow nothing; the connection itself stays.
  else await broker.access.prepare?.(connection.identity);
}

function becameLess(pass: ServicePass | undefined): { because: string; undecided?: true } | null {
  return pass === undefined ? null : { because: `it ${pass.limit}.` };
}

/** v5 clients dropped for certificate reasons are told 0x98; the others are closed without a packet. */
function cutOff(broker: Broker, connection: Connection, disconnectCode: number | null, because: string): void {
  connection.cutOff = true;
  endConnection(broker, connection, {
    reason: phraseFor(reasonCodes.administrativeAction),
    disconnectCode,
    will: 'discard',
    explanation: `  After the reload this client is no longer allowed: ${because}`,
  });
}
