/** Enhanced authentication (MQTT 5, 4.12): as many steps as the method needs, at CONNECT and again later. */
import { type Auth, encodeAuth, protocolError, reasonCodes } from '../codec/mod.ts';
import type { ConnectAttempt, ConnectRefusal, StageOutcome } from './connect/attempt.ts';
import { refuseLogin, setIdentity } from './connect/authenticate.ts';
import type { Connection } from './connection.ts';
import { endConnection, phraseFor } from './endings.ts';
import type { AuthenticationRequest, EnhancedStep } from './ports.ts';
import { readOn, resumeReading } from './reading.ts';

/** Resolves the CONNECT stage that waits for the client's next AUTH. */
export interface PendingAuth {
  resolve: (outcome: StageOutcome | Promise<StageOutcome>) => void;
}

export function beginEnhanced(
  attempt: ConnectAttempt,
  method: string,
  request: AuthenticationRequest,
): ConnectRefusal | Promise<StageOutcome> {
  const { broker, connection, packet } = attempt;
  const enhanced = broker.access.enhanced(method, request);
  if (enhanced === null) {
    const code = reasonCodes.badAuthenticationMethod; // [MQTT-4.12.0-1]
    return {
      v3: null,
      v5: code,
      reason: phraseFor(code),
      because: `it asked for authentication method "${method}", which nothing here serves.`,
    };
  }
  connection.enhanced = enhanced;
  const data = packet.properties.authenticationData ?? null;
  // The first step comes after the stage has begun to wait: it may ask the client at once, who then has to be read.
  return Promise.resolve().then(
    () =>
      new Promise<StageOutcome>(resolve => {
        connection.pendingAuth = { resolve };
        if (!connection.closed) step(connection, data);
      }),
  );
}

/** AUTH from the client, before or after the CONNACK. */
export function onAuth(connection: Connection, auth: Auth): void {
  const method = connection.credentials.authenticationMethod;
  if (method === null || connection.enhanced === null) {
    throw protocolError('AUTH packet without existing auth-method.');
  }
  if (auth.properties.authenticationMethod !== method) throw protocolError(); // [MQTT-4.12.0-5], [MQTT-4.12.1-1]
  const expected = isInProgress(connection) ? reasonCodes.continueAuthentication : reasonCodes.reAuthenticate;
  if (auth.reasonCode !== expected) throw protocolError(); // [MQTT-4.12.0-3]
  if (connection.state === 'open') connection.reauthenticating = true;
  step(connection, auth.properties.authenticationData ?? null);
}

function isInProgress(connection: Connection): boolean {
  return connection.state === 'connecting' || connection.reauthenticating;
}

/** One step; a method that has to ask elsewhere holds the connection's other packets back meanwhile. */
function step(connection: Connection, data: Buffer | null): void {
  const outcome = connection.enhanced!.step(data === null ? null : Buffer.from(data));
  if (!(outcome instanceof Promise)) return onStep(connection, outcome);
  connection.waiting = true;
  connection.link.pause();
  outcome
    .then(result => {
      if (connection.closed) return;
      connection.waiting = false;
      onStep(connection, result);
      if (connection.closed || connection.waiting) return;
      readOn(connection);
    })
    .catch((error: unknown) => connection.fail(error));
}

function onStep(connection: Connection, outcome: EnhancedStep): void {
  if (outcome.kind === 'continue') {
    sendAuth(connection, reasonCodes.continueAuthentication, outcome.data);
    // The answer has to be read although the CONNECT stage still waits.
    connection.waiting = false;
    resumeReading(connection);
  } else if (connection.state === 'connecting') endOfConnect(connection, outcome);
  else endOfReauthentication(connection, outcome);
}

function endOfConnect(connection: Connection, outcome: Exclude<EnhancedStep, { kind: 'continue' }>): void {
  const attempt = connection.attempt!;
  const { resolve } = connection.pendingAuth!;
  connection.pendingAuth = null;
  connection.waiting = true;
  if (outcome.kind === 'failure') return resolve(refuseLogin(attempt, outcome.because)); // [MQTT-4.12.0-4]
  if (outcome.username !== undefined) attempt.username = outcome.username;
  attempt.authenticationData = outcome.data;
  resolve(setIdentity(attempt));
}

function endOfReauthentication(connection: Connection, outcome: Exclude<EnhancedStep, { kind: 'continue' }>): void {
  connection.reauthenticating = false;
  if (outcome.kind === 'success') return sendAuth(connection, reasonCodes.success, outcome.data);
  endConnection(connection.broker, connection, {
    reason: phraseFor(reasonCodes.notAuthorized),
    disconnectCode: reasonCodes.notAuthorized, // [MQTT-4.12.1-2]
    will: 'publish',
    explanation: `  ${outcome.because}`,
  });
}

function sendAuth(connection: Connection, reasonCode: number, data: Buffer | null): void {
  const authenticationMethod = connection.credentials.authenticationMethod!;
  const properties = data === null ? { authenticationMethod } : { authenticationMethod, authenticationData: data };
  connection.send(encodeAuth({ reasonCode, properties }));
}
