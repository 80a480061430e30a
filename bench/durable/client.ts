/**
 * Clients that cost as little as possible, MQTT 3.1.1 over TCP with lasting sessions: a publisher with so many messages
 * unacknowledged, and a subscriber that acknowledges everything at once. Messages are numbered in their first 8 bytes.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const PUBACK = 0x40;
const PUBLISH = 0x30;

export class RawClient {
  readonly socket: Socket;
  /** Called with each whole packet: its buffer, where its first byte is, where its body begins and where it ends. */
  onPacket: (bytes: Buffer, first: number, body: number, end: number) => void = () => {};
  #rest: Buffer = Buffer.alloc(0);

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', chunk => this.#read(chunk));
    socket.on('error', () => undefined);
  }

  /** Returns when the CONNACK has come. `taken` is called with the number of each message from then on. */
  static async open(port: number, clientId: string, taken?: (number: number) => void): Promise<RawClient> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    socket.setNoDelay(true);
    const client = new RawClient(socket);
    const id = Buffer.from(clientId);
    const body = Buffer.concat([Buffer.from('\0\x04MQTT\x04\0\0\0\0\0', 'latin1'), id]);
    body.writeUInt16BE(id.length, body.length - id.length - 2);
    const accepted = new Promise<void>((resolve, reject) => {
      client.onPacket = (bytes, first) => {
        if (bytes[first] !== 0x20) return;
        // Messages may stand in the same chunk.
        if (taken !== undefined) takeAll(client, taken);
        resolve();
      };
      socket.once('close', () => reject(new Error('the broker closed the connection')));
    });
    socket.write(Buffer.concat([Buffer.from([0x10, body.length]), body]));
    await accepted;
    return client;
  }

  async subscribe(filter: string): Promise<void> {
    const name = Buffer.from(filter);
    const packet = Buffer.concat([Buffer.from([0x82, name.length + 5, 0, 1, 0, name.length]), name, Buffer.from([1])]);
    const granted = new Promise<void>(resolve => {
      this.onPacket = (bytes, first) => (bytes[first] === 0x90 ? resolve() : undefined);
    });
    this.socket.write(packet);
    await granted;
  }

  async close(): Promise<void> {
    if (this.socket.destroyed) return;
    this.socket.end(Buffer.from([0xe0, 0]));
    await once(this.socket, 'close');
  }

  #read(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    for (;;) {
      let length = 0;
      let body = at + 1;
      for (let shift = 0; ; shift += 7) {
        const byte = bytes[body++];
        if (byte === undefined) return this.#keep(bytes, at);
        length |= (byte & 127) << shift;
        if (byte < 128) break;
      }
      if (body + length > bytes.length) return this.#keep(bytes, at);
      this.onPacket(bytes, at, body, body + length);
      at = body + length;
    }
  }

  #keep(bytes: Buffer, from: number): void {
    this.#rest = bytes.subarray(from);
  }
}

export interface PublishPlan {
  topic: string;
  payloadBytes: number;
  /** Unacknowledged at a time. */
  window: number;
  /** Asked before each message: whether there is another one. */
  more: () => boolean;
  /** Number of the first; the others follow. */
  from?: number;
}

/** Publishes until there are no more, and returns how many were acknowledged. Ends early with the connection. */
export function publishAll(client: RawClient, plan: PublishPlan): Promise<number> {
  const { socket } = client;
  const template = publishPacket(plan.topic, plan.payloadBytes);
  const payload = template.length - plan.payloadBytes;
  let [sent, acknowledged] = [0, 0];
  const send = (): void => {
    const packets: Buffer[] = [];
    while (sent - acknowledged < plan.window && plan.more()) {
      const packet = Buffer.from(template);
      packet.writeUInt16BE((sent % 65_535) + 1, payload - 2);
      packet.writeDoubleBE((plan.from ?? 0) + sent++, payload);
      packets.push(packet);
    }
    if (packets.length > 0) socket.write(Buffer.concat(packets));
  };
  return new Promise(resolve => {
    const finish = (): void => resolve(acknowledged);
    client.onPacket = (bytes, first) => {
      if (bytes[first] !== PUBACK) return;
      acknowledged++;
      // Many at a time, as a busy gateway does.
      if (sent - acknowledged <= plan.window / 2) send();
      if (sent === acknowledged) finish();
    };
    socket.once('close', finish);
    send();
  });
}

function publishPacket(topic: string, payloadBytes: number): Buffer {
  const name = Buffer.from(topic);
  const length = 2 + name.length + 2 + payloadBytes;
  const head = length < 128 ? [0x32, length] : [0x32, (length & 127) | 128, length >> 7];
  return Buffer.concat([Buffer.from(head), Buffer.from([0, name.length]), name, Buffer.alloc(2 + payloadBytes, 'x')]);
}

/** Acknowledges what comes, and calls with the number of each message. */
export function takeAll(client: RawClient, taken: (number: number) => void): void {
  let answers: Buffer[] = [];
  client.onPacket = (bytes, first, body, end) => {
    if ((bytes[first]! & 0xf0) !== PUBLISH) return;
    const topic = bytes.readUInt16BE(body);
    const qos = (bytes[first]! >> 1) & 3;
    const id = body + 2 + topic;
    if (qos > 0) {
      if (answers.length === 0) {
        setImmediate(() => {
          client.socket.write(Buffer.concat(answers));
          answers = [];
        });
      }
      answers.push(Buffer.from([PUBACK, 2, bytes[id]!, bytes[id + 1]!]));
    }
    const payload = qos > 0 ? id + 2 : id;
    taken(end - payload >= 8 ? bytes.readDoubleBE(payload) : -1);
  };
}
