/** The conversation of a bridge with its own broker: an ordinary client of MQTT 5, without a socket. */
import type { Peer } from '../broker/ports.ts';
import { ClientError, connectPacket, Connection, type ConnectionOwner } from '../client/mod.ts';
import { LocalPair } from './local-pair.ts';
import { localPeer } from './local-peer.ts';
import { type BridgeNames, type BridgePlan, type BridgePorts, keepsLocally } from './plan.ts';
import type { MappedFilter } from './topic-map.ts';

const CONNECT_MS = 30_000;
/** The session stays as long as the bridge is configured. */
const NEVER = 0xffff_ffff;
const FIRST_SUBSCRIBE_ID = 65_000;

/** `(null):0` is how Mosquitto names it in its log, too. */
export function peerOf(plan: BridgePlan, startsOver: boolean): Peer {
  const keepsQos0 = plan.startType === 'lazy';
  return localPeer('(null)', {
    name: `bridge ${plan.name}`,
    acceptProtocolVersions: [5],
    allowZeroLengthClientId: false,
    bridge: { keepsQos0, startsOver },
  });
}

export function converse(pair: LocalPair, ports: BridgePorts, peer: Peer, owner: ConnectionOwner): Connection {
  const connection = new Connection(pair.wire, owner, 5, 'this broker', null);
  ports.accept(pair.link, peer);
  return connection;
}

export function openHere(
  connection: Connection,
  { localClientId }: BridgeNames,
  { localUsername }: BridgePlan,
  keeps: boolean,
  receiveMaximum: number,
): void {
  const packet = connectPacket(
    {
      cleanStart: !keeps,
      keepAliveSeconds: 0,
      ...(localUsername === null ? {} : { username: localUsername }),
      properties: { sessionExpiryInterval: keeps ? NEVER : 0, receiveMaximum },
    },
    5,
    localClientId,
  );
  connection.open(packet, CONNECT_MS);
}

/** No-local: what the bridge has brought in does not go out by it again. */
export function subscribeHere(connection: Connection, filters: readonly MappedFilter[], retainHandling: 0 | 2): void {
  filters.forEach(({ filter, qos }, i) => {
    const item = { topicFilter: filter, qos, noLocal: true, retainAsPublished: true, retainHandling };
    const properties = { subscriptionIdentifier: i + 1 };
    connection.sendSubscribe({ packetId: FIRST_SUBSCRIBE_ID + i, properties, items: [item] });
  });
}

/**
 * Makes the session of a bridge that is not connected yet, so that what is published meanwhile waits in it; lines that
 * are no longer in the configuration are taken out of it. Resolves when the session is as it should be.
 */
export function prepareSession(
  plan: BridgePlan,
  names: BridgeNames,
  filters: readonly MappedFilter[],
  ports: BridgePorts,
): Promise<void> {
  if (!keepsLocally(plan)) {
    ports.forget(names.localClientId);
    return Promise.resolve();
  }
  const wanted = new Set(filters.map(({ filter }) => filter));
  const stale = ports.session(names.localClientId)?.filters.filter(filter => !wanted.has(filter)) ?? [];
  return new Promise((resolve, reject) => {
    let answers = filters.length + stale.length;
    const answered = (): void => {
      if (answers-- === 0) connection.disconnect({ reasonCode: 0, properties: {} });
    };
    const connection = converse(new LocalPair(), ports, peerOf(plan, false), {
      options: {},
      onConnack: packet => {
        if (packet.reasonCode !== 0) return connection.fail(refusedHere(packet.reasonCode));
        subscribeHere(connection, filters, 2);
        stale.forEach((filter, i) =>
          connection.sendUnsubscribe({ packetId: i + 1, properties: {}, topicFilters: [filter] }),
        );
        answered();
      },
      onMessage: () => undefined,
      onAck: () => undefined,
      onSuback: answered,
      onAuth: () => undefined,
      onDrain: () => undefined,
      onClosed: error => (error === null ? resolve() : reject(error)),
    });
    openHere(connection, names, plan, true, 1);
  });
}

export function refusedHere(reasonCode: number): ClientError {
  return new ClientError({
    code: 'bridge.refused-here',
    kind: 'refused',
    message: `This broker refused its own bridge (reason code ${reasonCode}).`,
    reasonCode,
  });
}

export function endOfBridge(): ClientError {
  return new ClientError({
    code: 'bridge.ended',
    kind: 'lost',
    message: 'The connection of the bridge was ended here.',
  });
}
