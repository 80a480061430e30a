/**
 * A broker for tests of the client: it keeps sessions, passes a QoS 2 message on when it is released (MQTT 5, 4.3.3),
 * and cuts a connection when the test says so. It tests nothing itself.
 */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import {
  type Auth,
  type Connect,
  encodeAck,
  encodeAuth,
  encodeConnack,
  encodeSuback,
  FrameReader,
  frameStatus,
  NO_PROPERTIES,
  packetTypes,
  type ProtocolVersion,
  PublishView,
  readAck,
  readAuth,
  readConnect,
  readPublish,
  readSubscribe,
} from '../codec/mod.ts';

export class ScriptedBroker {
  /** Payloads in the order in which they were passed on. */
  readonly delivered: string[] = [];
  /** Every packet that came, such as `publish 1 dup`, `pubrel 1`. */
  readonly received: string[] = [];
  connections = 0;
  /** Asked after every packet: true cuts the connection before anything is answered. */
  cutsBefore: (received: string) => boolean = () => false;
  /** The same, but what is to be done has been done, and only the answer is lost. */
  cutsAfter: (received: string) => boolean = () => false;
  keepsSessions = true;
  answersAuth: (data: Buffer) => Auth | null = () => null;
  private readonly server: Server;
  private readonly open = new Set<Socket>();
  private unreleased = new Map<number, string>();
  private readonly sessions = new Set<string>();

  constructor() {
    this.server = createServer(socket => this.talk(socket));
  }

  async listen(): Promise<number> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    return (this.server.address() as AddressInfo).port;
  }

  close(): void {
    this.server.close();
    for (const socket of this.open) socket.destroy();
  }

  private talk(socket: Socket): void {
    this.connections++;
    this.open.add(socket);
    socket.on('error', () => undefined).on('close', () => this.open.delete(socket));
    const frames = new FrameReader(new Array<number>(16).fill(0));
    let version: ProtocolVersion = 5;
    socket.on('data', (chunk: Buffer) => {
      frames.push(chunk);
      while (!socket.destroyed && frames.next() === frameStatus.packet) {
        const { bytes, first, start, end } = frames;
        if (first >> 4 === packetTypes.connect) version = readConnect(bytes, first, start, end, [3, 4, 5]).version;
        this.answer({ bytes, first, start, end, version }, socket);
      }
    });
  }

  private answer(frame: Frame, socket: Socket): void {
    const { name, done } = this.read(frame);
    this.received.push(name);
    if (this.cutsBefore(name)) return void socket.destroy();
    const reply = done();
    if (this.cutsAfter(name)) return void socket.destroy();
    if (reply !== null) socket.write(reply);
  }

  private read({ bytes, first, start, end, version }: Frame): { name: string; done: () => Buffer | null } {
    const ack = (name: 'puback' | 'pubrec' | 'pubcomp', packetId: number) =>
      encodeAck(name, { packetId, reasonCode: 0, properties: NO_PROPERTIES }, version);
    switch (first >> 4) {
      case packetTypes.connect: {
        const connect = readConnect(bytes, first, start, end, [3, 4, 5]);
        return { name: 'connect', done: () => this.connack(connect) };
      }
      case packetTypes.publish: {
        const view = new PublishView();
        readPublish(view, bytes, first, start, end, version);
        const payload = view.bytes.toString('utf8', view.payloadStart, view.payloadEnd);
        const { packetId, qos } = view;
        const name = `publish ${packetId}${view.dup ? ' dup' : ''}`;
        if (qos === 2) return { name, done: () => (this.unreleased.set(packetId, payload), ack('pubrec', packetId)) };
        return { name, done: () => (this.delivered.push(payload), qos === 1 ? ack('puback', packetId) : null) };
      }
      case packetTypes.pubrel: {
        const { packetId } = readAck('pubrel', bytes, first, start, end, version);
        return { name: `pubrel ${packetId}`, done: () => (this.release(packetId), ack('pubcomp', packetId)) };
      }
      case packetTypes.subscribe: {
        const { packetId, items } = readSubscribe(bytes, first, start, end, version);
        const reasonCodes = items.map(() => 0);
        const suback = { packetId, properties: NO_PROPERTIES, reasonCodes };
        return {
          name: `subscribe ${items.map(item => item.topicFilter).join(' ')}`,
          done: () => encodeSuback('suback', suback, version),
        };
      }
      case packetTypes.auth: {
        const { authenticationData } = readAuth(bytes, first, start, end).properties;
        return { name: 'auth', done: () => this.afterAuth(authenticationData ?? Buffer.alloc(0)) };
      }
      default:
        return { name: `type ${first >> 4}`, done: () => null };
    }
  }

  private connack({ clientId, cleanStart, version, properties }: Connect): Buffer | null {
    if (properties.authenticationMethod !== undefined) return this.afterAuth(properties.authenticationData!);
    const sessionPresent = this.keepsSessions && !cleanStart && this.sessions.has(clientId);
    if (!sessionPresent) this.unreleased = new Map();
    this.sessions.add(clientId);
    return encodeConnack({ sessionPresent, reasonCode: 0, properties: NO_PROPERTIES }, version);
  }

  private afterAuth(data: Buffer): Buffer {
    const auth = this.answersAuth(data);
    if (auth !== null) return encodeAuth(auth);
    return encodeConnack({ sessionPresent: false, reasonCode: 0, properties: NO_PROPERTIES }, 5);
  }

  private release(packetId: number): void {
    const payload = this.unreleased.get(packetId);
    if (payload !== undefined) this.delivered.push(payload);
    this.unreleased.delete(packetId);
  }
}

interface Frame {
  bytes: Buffer;
  first: number;
  start: number;
  end: number;
  version: ProtocolVersion;
}
